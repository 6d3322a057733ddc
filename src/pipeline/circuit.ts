/**
 * One per sink: after a failure of a whole write nothing more is sent until the delay has passed; then one write is the probe, and its success opens the
 * way for the others. Times are monotonic milliseconds.
 */
export class Circuit {
  #retryAt: number | null = null;
  #probing = false;
  #failures = 0;
  #epoch = 0;

  get closed(): boolean {
    return this.#retryAt === null;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** When the next probe may go out; null when there is nothing to wait for. */
  get retryAt(): number | null {
    return this.#probing ? null : this.#retryAt;
  }

  /** Says whether a write may begin now. `inFlight`: writes that are out. */
  admits(now: number, inFlight: number): boolean {
    return this.#retryAt === null || (!this.#probing && inFlight === 0 && now >= this.#retryAt);
  }

  /** A write begins; what it returns goes to `succeed` or `fail`. */
  begin(): number {
    if (this.#retryAt !== null) this.#probing = true;
    return this.#epoch;
  }

  /** True when this closed the circuit. The success of a write that began before the failure says nothing. */
  succeed(epoch: number): boolean {
    if (epoch !== this.#epoch) return false;
    const wasOpen = this.#retryAt !== null;
    this.reset();
    return wasOpen;
  }

  /** Nothing is sent before `retryAt`. Failures of writes that were out together count once. */
  fail(epoch: number, retryAt: (failures: number) => number): void {
    if (epoch === this.#epoch) this.#failures++;
    this.#epoch++;
    this.#probing = false;
    this.#retryAt = Math.max(this.#retryAt ?? 0, retryAt(this.#failures));
  }

  /** The probe ended without a verdict on the sink. */
  release(epoch: number): void {
    if (epoch === this.#epoch) this.#probing = false;
  }

  reset(): void {
    if (this.#retryAt !== null) this.#epoch++;
    this.#retryAt = null;
    this.#probing = false;
    this.#failures = 0;
  }
}
