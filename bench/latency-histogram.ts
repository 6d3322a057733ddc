/** What it is in microseconds; 0 without any. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const STEP_US = 100;
const STEPS = 100_000;

/** Latencies in steps of a tenth of a millisecond, up to ten seconds. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(STEPS);
  #count = 0;
  #max = 0;

  add(microseconds: number): void {
    const step = Math.min(STEPS - 1, Math.max(0, Math.floor(microseconds / STEP_US)));
    this.#counts[step] = this.#counts[step]! + 1;
    this.#count++;
    if (microseconds > this.#max) this.#max = microseconds;
  }

  summary(): LatencySummary {
    return { count: this.#count, p50: this.#quantile(0.5), p99: this.#quantile(0.99), max: this.#max };
  }

  /** The upper end of the step that it lies in. */
  #quantile(share: number): number {
    const rank = Math.ceil(share * this.#count);
    let below = 0;
    for (let step = 0; step < STEPS; step++) {
      below += this.#counts[step]!;
      if (rank > 0 && below >= rank) return (step + 1) * STEP_US;
    }
    return 0;
  }
}
