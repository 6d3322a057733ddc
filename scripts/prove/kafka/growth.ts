/** How a number of records grew while somebody looked again and again. */
export class Growth {
  readonly #seen: (readonly [atMs: number, records: number])[];

  constructor(records: number) {
    this.#seen = [[performance.now(), records]];
  }

  see(records: number): void {
    const [, last] = this.#seen.at(-1)!;
    // What did not change needs no place, but when that was seen last: growth is not spread over the time before.
    if (records === last && this.#seen.length > 1 && this.#seen.at(-2)![1] === last) this.#seen.pop();
    this.#seen.push([performance.now(), records]);
  }

  get total(): number {
    return this.#seen.at(-1)![1] - this.#seen[0]![1];
  }

  /** The longest time from one growth to the next. */
  get longestRestMs(): number {
    let [longest, since] = [0, Infinity];
    for (const [index, [at, records]] of this.#seen.entries()) {
      if (index === 0 || records === this.#seen[index - 1]![1]) continue;
      longest = Math.max(longest, at - since);
      since = at;
    }
    return longest;
  }

  /** The most that came between two looks that are at least so far apart, and no further than it takes. */
  mostWithin(ms: number): number {
    let [most, from] = [0, 0];
    for (const [at, records] of this.#seen) {
      // Ends before the look itself is reached, which is 0 ms apart.
      while (at - (this.#seen[from + 1]?.[0] ?? at) >= ms) from++;
      most = Math.max(most, records - this.#seen[from]![1]);
    }
    return most;
  }
}
