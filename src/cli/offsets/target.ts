import { SluiceError, type PositionTarget } from '../../api/index.ts';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const TIME = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** `earliest`, `latest`, `4711`, `2026-11-25T08:00:00Z` (without a zone: the local one) or `-2h`. Throws `OPTION_INVALID`. */
export function parseTarget(text: string, nowMs: number): PositionTarget {
  if (text === 'earliest' || text === 'latest') return { kind: text };
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return { kind: 'offset', offset: Number(text) };
  const [, number, unit] = /^-(\d+)([smhd])$/.exec(text) ?? [];
  if (number !== undefined) return { kind: 'time', timeMs: nowMs - Number(number) * UNIT_MS[unit!]! };
  const timeMs = TIME.test(text) ? Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T')) : NaN;
  if (!Number.isNaN(timeMs)) return { kind: 'time', timeMs };
  throw new SluiceError(
    'OPTION_INVALID',
    `going to ${JSON.stringify(text)}: it is none of earliest, latest, an offset, a time (2026-11-25T08:00:00Z), a duration back (-2h)`,
  );
}
