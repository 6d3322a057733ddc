import type { Clock } from '../../api/index.ts';

/** Sleep that somebody else may end early. */
export class Rouser {
  #sleeping: AbortController | null = null;
  #isRoused = false;

  /** Also ends the next sleep when nobody sleeps now. */
  rouse(): void {
    this.#isRoused = true;
    this.#sleeping?.abort();
  }

  /** Rejects with the signal's reason when that aborts. */
  async sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    try {
      if (!this.#isRoused) await clock.sleep(delayMs, AbortSignal.any([signal, sleeping.signal]));
    } catch (error) {
      if (!sleeping.signal.aborted) throw error;
    } finally {
      this.#isRoused = false;
      this.#sleeping = null;
    }
    signal.throwIfAborted();
  }
}
