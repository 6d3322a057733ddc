export interface RetryBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

// A server may ask for more patience than a leg should have, and timers overflow beyond 24 days.
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Milliseconds to wait after the `attempt`-th failure in a row (from 1): full jitter between `minMs` and a ceiling that doubles up to `maxMs`; never less
 * than the server asked for, up to an hour.
 */
export function retryDelay(
  attempt: number,
  options: RetryBounds & { readonly random: () => number; readonly retryAfterMs?: number | undefined },
): number {
  const { minMs, maxMs, random, retryAfterMs = 0 } = options;
  const ceiling = Math.max(minMs, Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30)));
  const delay = minMs + random() * (ceiling - minMs);
  return Math.round(Math.max(delay, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)));
}
