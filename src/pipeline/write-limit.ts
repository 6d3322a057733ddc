/** A target that answers so much slower than at its best is given less to do. */
const SLOW = 3;
/** The best time is forgotten slowly: a target that became slower for good is measured by what it is now. */
const FORGET = 1.02;
const BACK_OFF = 0.5;
const EASE_OFF = 0.9;

/**
 * How many writes of an unordered sink may be out: one more after each round of writes that were taken in good time, half as many when the target pushed back, a
 * little less when it takes long (additive increase, multiplicative decrease).
 */
export class WriteLimit {
  readonly #most: number;
  #limit: number;
  #bestMsPerByte = Infinity;
  /** Writes that began before the last decrease say nothing new. */
  #sinceDecrease = 0;

  constructor(most: number) {
    this.#most = most;
    this.#limit = most;
  }

  get value(): number {
    return Math.max(1, Math.floor(this.#limit));
  }

  /** `begun` is `beginning()` of when the write began. */
  ended(
    begun: number,
    { elapsedMs, bytes, isPushedBack }: { elapsedMs: number; bytes: number; isPushedBack: boolean },
  ): void {
    const isOld = begun !== this.#sinceDecrease;
    if (isPushedBack) {
      if (!isOld) this.#decrease(BACK_OFF);
      return;
    }
    const msPerByte = elapsedMs / Math.max(1, bytes);
    const isSlow = msPerByte > this.#bestMsPerByte * SLOW;
    this.#bestMsPerByte = Math.min(msPerByte, this.#bestMsPerByte * FORGET);
    if (!isSlow) this.#limit = Math.min(this.#most, this.#limit + 1 / this.#limit);
    else if (!isOld) this.#decrease(EASE_OFF);
  }

  beginning(): number {
    return this.#sinceDecrease;
  }

  #decrease(factor: number): void {
    this.#limit = Math.max(1, this.#limit * factor);
    this.#sinceDecrease++;
  }
}
