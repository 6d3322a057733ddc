import type { Clock } from '../api/index.ts';

/** One timer with one owner: calls `ring` once at the earliest time that was asked for, until `stop`. Times are monotonic milliseconds. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Infinity;
  #sleep: AbortController | null = null;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Replaces the time asked for; null: no time. */
  set(at: number | null): void {
    if ((at ?? Infinity) === this.#at) return;
    this.stop();
    if (at === null) return;
    this.#at = at;
    const sleep = (this.#sleep = new AbortController());
    void this.#clock.sleep(Math.max(0, at - this.#clock.monotonic()), sleep.signal).then(
      () => {
        if (this.#sleep !== sleep) return;
        this.#at = Infinity;
        this.#sleep = null;
        this.#ring();
      },
      () => undefined,
    );
  }

  stop(): void {
    this.#sleep?.abort();
    this.#sleep = null;
    this.#at = Infinity;
  }
}
