import type { Clock } from '../api/index.ts';
import type { DeadLetterPlan } from '../config/index.ts';

const BUCKETS = 60;
const BUCKET_MS = 1000;

/** Counts a sliding minute: an outage is not a thousand poison records. */
export class DeadLetterRate {
  readonly #clock: Clock;
  readonly #limit: DeadLetterPlan['maxRate'];
  readonly #handled = new Float64Array(BUCKETS);
  readonly #refused = new Float64Array(BUCKETS);
  #second: number;

  constructor(clock: Clock, limit: DeadLetterPlan['maxRate']) {
    this.#clock = clock;
    this.#limit = limit;
    this.#second = this.#now();
  }

  /** `handled` counts every record that came to an end, the refused ones included. */
  count(handled: number, refused: number): void {
    if (this.#limit === null) return;
    this.#advance();
    this.#handled[this.#second % BUCKETS]! += handled;
    this.#refused[this.#second % BUCKETS]! += refused;
  }

  /** What to tell an operator; null while the rate is fine. */
  exceeded(): string | null {
    if (this.#limit === null) return null;
    this.#advance();
    const handled = sum(this.#handled);
    const refused = sum(this.#refused);
    if (refused < this.#limit.records || refused <= handled * this.#limit.share) return null;
    return `${refused} of ${handled} records were refused within a minute, more than max_rate allows; see \`sluice dlq list\`, then start the hub again`;
  }

  reset(): void {
    this.#handled.fill(0);
    this.#refused.fill(0);
  }

  #advance(): void {
    const now = this.#now();
    for (let second = Math.max(this.#second + 1, now - BUCKETS + 1); second <= now; second++) {
      this.#handled[second % BUCKETS] = 0;
      this.#refused[second % BUCKETS] = 0;
    }
    this.#second = now;
  }

  #now(): number {
    return Math.floor(this.#clock.monotonic() / BUCKET_MS);
  }
}

function sum(buckets: Float64Array): number {
  return buckets.reduce((total, count) => total + count, 0);
}
