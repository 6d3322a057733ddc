import { InvalidArgumentError } from 'commander';
import { isDuration, milliseconds } from './duration.ts';

export interface Moment {
  /** As it was given. */
  readonly text: string;
  /** Since the epoch. */
  readonly ms: number;
}

/** A time of a flag: `2026-11-23T14:05:00Z` (without a zone the local one, without a time its midnight), or `2h` for so long ago. */
export function moment(text: string): Moment {
  if (isDuration(text)) return { text, ms: Date.now() - milliseconds(text) };
  const [, day, time = 'T00:00'] = /^(\d{4}-\d{2}-\d{2})([T ].+)?$/.exec(text) ?? [];
  const ms = day === undefined ? NaN : Date.parse(`${day}${time}`);
  if (Number.isNaN(ms))
    throw new InvalidArgumentError('Give a time such as 2026-11-23T14:05:00Z, or a duration back such as 2h.');
  return { text, ms };
}
