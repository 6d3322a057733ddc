/** Longer than the window of any source. */
const WINDOW_MS = 24 * 3600 * 1000;
const MAX_IDS = 200_000;

/** The ids that sources have committed, oldest first. On Kafka they live as long as the process: its records could tell them to the next one, but nobody reads a topic to its begin for them. */
export class DedupeIds {
  readonly #ids = new Map<string, Map<string, number>>();

  of(source: string): ReadonlyMap<string, number> {
    return new Map(this.#ids.get(source));
  }

  add({ source, id, atMs }: { readonly source: string; readonly id: string; readonly atMs: number }): void {
    let ids = this.#ids.get(source);
    if (ids === undefined) this.#ids.set(source, (ids = new Map<string, number>()));
    // Deleted first, so that the map's order stays the order of the commits.
    ids.delete(id);
    ids.set(id, atMs);
    for (const [oldest, at] of ids) {
      if (ids.size <= MAX_IDS && atMs - at <= WINDOW_MS) return;
      ids.delete(oldest);
    }
  }
}
