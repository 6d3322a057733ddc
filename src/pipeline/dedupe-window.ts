/** Ids of requests that were committed lately, in the order of their commits. Times are milliseconds since the epoch. */
export class DedupeWindow {
  readonly #windowMs: number;
  readonly #maxIds: number;
  readonly #times = new Map<string, number>();

  constructor(options: { windowMs: number; maxIds: number }, saved: ReadonlyMap<string, number>) {
    this.#windowMs = options.windowMs;
    this.#maxIds = options.maxIds;
    for (const [id, at] of [...saved].sort((a, b) => a[1] - b[1])) this.#times.set(id, at);
  }

  has(id: string, now: number): boolean {
    const at = this.#times.get(id);
    return at !== undefined && now - at < this.#windowMs;
  }

  add(id: string, now: number): void {
    // Deleted first, so that the map's order stays the order of the times.
    this.#times.delete(id);
    this.#times.set(id, now);
    for (const [oldest, at] of this.#times) {
      if (this.#times.size <= this.#maxIds && now - at < this.#windowMs) return;
      this.#times.delete(oldest);
    }
  }
}
