import type { Clock } from 'sluice/api';

/** A sleep that somebody may end early. */
export class Waker {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #sleep: AbortController | null = null;
  #isWanted = false;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Ends the sleep, or the next one at once. */
  wake(): void {
    this.#isWanted = true;
    this.#sleep?.abort();
  }

  /** Rejects with the signal's reason when it aborts. */
  async sleep(delayMs: number): Promise<void> {
    this.#signal.throwIfAborted();
    const sleep = new AbortController();
    const end = (): void => {
      sleep.abort();
    };
    this.#signal.addEventListener('abort', end, { once: true });
    this.#sleep = sleep;
    try {
      if (!this.#isWanted) await this.#clock.sleep(delayMs, sleep.signal);
    } catch {
      // Woken.
    } finally {
      this.#signal.removeEventListener('abort', end);
      this.#sleep = null;
      this.#isWanted = false;
    }
    this.#signal.throwIfAborted();
  }
}
