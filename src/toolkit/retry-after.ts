import type { Clock } from '../api/index.ts';

/** Milliseconds of a `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date; undefined when it says neither. */
export function retryAfterMs(header: string | null, clock: Pick<Clock, 'now'>): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - clock.now());
}
