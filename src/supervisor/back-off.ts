const FIRST_MS = 500;
const LONGEST_MS = 60_000;
/** What has run for so long is healthy again. */
const HEALTHY_MS = 60_000;

/** Doubling delays between restarts, from half a second to a minute, less up to half of it by chance. */
export class BackOff {
  readonly #random: () => number;
  #failures = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The delay in milliseconds before the next start of what ran for `ranMs`. */
  next(ranMs: number): number {
    if (ranMs >= HEALTHY_MS) this.#failures = 0;
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures++;
    return longest * (1 - this.#random() / 2);
  }
}
