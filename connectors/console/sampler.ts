import type { Clock } from 'sluice/api';

const WINDOW_MS = 1000;

/** Grants so many records a second. */
export class Sampler {
  readonly #limit: number;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #windowEnd = 0;
  #left = 0;

  constructor(limit: number, clock: Pick<Clock, 'monotonic'>) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** How many of the next `count` records are granted. */
  take(count: number): number {
    const now = this.#clock.monotonic();
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + WINDOW_MS;
      this.#left = this.#limit;
    }
    const granted = Math.min(count, this.#left);
    this.#left -= granted;
    return granted;
  }

  /** Milliseconds until records are granted again. */
  get waitMs(): number {
    return Math.max(0, this.#windowEnd - this.#clock.monotonic());
  }
}
