/** Searches of large trees take no more than a fifth of the time. */
const SHARE = 4;

/** When folders are searched: every interval, sooner when that is asked for, less often when it takes long. */
export class ScanTimes {
  readonly #intervalMs: number;
  #nextAt = 0;
  /** Not before, whatever is asked for. */
  #restsUntil = 0;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  get nextAt(): number {
    return this.#nextAt;
  }

  soon(now: number): void {
    this.#nextAt = Math.min(this.#nextAt, Math.max(now, this.#restsUntil));
  }

  /** Whoever asks during a search asks for another one. */
  begun(): void {
    this.#nextAt = Infinity;
  }

  ended(now: number, searchMs: number): void {
    const restMs = SHARE * searchMs;
    this.#restsUntil = now + Math.min(this.#intervalMs, restMs);
    this.#nextAt = Math.max(Math.min(this.#nextAt, now + Math.max(this.#intervalMs, restMs)), this.#restsUntil);
  }
}
