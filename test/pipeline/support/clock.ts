import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../../src/api/index.ts';

/** A clock that runs `speed` times as fast as the wall's, so that a minute's rule can be watched. Steps with `skip`. */
export class FastClock implements Clock {
  readonly #speed: number;
  readonly #startedAt = performance.now();
  #skipped = 0;

  constructor(speed = 1) {
    this.#speed = speed;
  }

  now(): number {
    return 1_700_000_000_000 + Math.floor(this.monotonic());
  }

  monotonic(): number {
    return (performance.now() - this.#startedAt) * this.#speed + this.#skipped;
  }

  skip(ms: number): void {
    this.#skipped += ms;
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    const until = this.monotonic() + delayMs;
    while (this.monotonic() < until) {
      const leftMs = (until - this.monotonic()) / this.#speed;
      // In short steps, since `skip` shortens the wait.
      await sleep(Math.min(20, Math.max(0, leftMs)), undefined, signal === undefined ? {} : { signal });
    }
  }
}
