import type { Clock } from '../api/index.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #elapsed = 0;
  readonly #startedAt: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startedAt = Date.UTC(2026, 0, 1)) {
    this.#startedAt = startedAt;
  }

  now(): number {
    return this.#startedAt + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const end = (settle: () => void): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => {
        end(() => {
          reject(signal!.reason as Error);
        });
      };
      const wake = (): void => {
        end(resolve);
      };
      const sleeper = { at: this.#elapsed + delayMs, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Who sleeps is woken in the order of the times; what they do then has begun when this resolves. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    for (;;) {
      const next = [...this.#sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#elapsed = end;
  }
}
