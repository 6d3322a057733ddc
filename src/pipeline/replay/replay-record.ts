import type { TopicPartition } from '../../api/index.ts';
import { HOPS_HEADER, ID_HEADER } from '../dead-letter.ts';
import type { StoredDeadLetter } from '../stored-dead-letter.ts';

/** Says of a record in which replay it was written last. */
const REPLAY_HEADER = 'sluice.replay.id';
const CAUSE = /^(?:__connect\.errors\.|sluice\.errors\.)/;

/** A record that was refused, on its way back. */
export interface ReplayRecord {
  readonly letter: StoredDeadLetter;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[];
}

/** One that a sink refused, with the place that its id is made of. */
export interface PlacedRecord extends ReplayRecord {
  readonly place: TopicPartition & { readonly offset: number };
}

/** The record as it was, but for what tells of its lives as a dead letter. `whole`: for a letter by reference, what lies where it refers to. */
export function replayRecord(
  letter: StoredDeadLetter,
  replayId: string,
  whole: Pick<ReplayRecord, 'key' | 'value' | 'headers'> = letter,
): ReplayRecord {
  const own = whole.headers.filter(([name]) => !CAUSE.test(name) && name !== REPLAY_HEADER);
  const told: [string, string][] = [
    [HOPS_HEADER, String(letter.hops)],
    [REPLAY_HEADER, replayId],
    ...(letter.origin === null ? [[ID_HEADER, letter.id] as [string, string]] : []),
  ];
  return {
    letter,
    key: whole.key,
    value: whole.value,
    timestamp: letter.timestamp,
    headers: [...own, ...told.map(([name, text]) => [name, Buffer.from(text)] as const)],
  };
}
