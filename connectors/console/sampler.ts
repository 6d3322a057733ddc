import type { Clock } from 'sluice/api';

const WINDOW_MS = 1000;

/** Grants so many records a second and counts the others. */
export class Sampler {
  readonly #limit: number;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #windowEnd = 0;
  #left = 0;
  #skipped = 0;

  constructor(limit: number, clock: Pick<Clock, 'monotonic'>) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** How many of the next `count` records are granted; the rest is skipped. */
  take(count: number): number {
    const now = this.#clock.monotonic();
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + WINDOW_MS;
      this.#left = this.#limit;
    }
    const granted = Math.min(count, this.#left);
    this.#left -= granted;
    this.#skipped += count - granted;
    return granted;
  }

  /** Skipped and not told yet. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Milliseconds until records are granted again. */
  get waitMs(): number {
    return Math.max(0, this.#windowEnd - this.#clock.monotonic());
  }

  tell(): number {
    const skipped = this.#skipped;
    this.#skipped = 0;
    return skipped;
  }
}
