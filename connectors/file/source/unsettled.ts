/** What was emitted and is not durable yet. A rejection ends the run, so only what waits and what was refused is kept: for the run to see. */
export class Unsettled {
  readonly #emits = new Set<Promise<void>>();

  add(emitted: Promise<void>): void {
    this.#emits.add(emitted);
    emitted.then(
      () => this.#emits.delete(emitted),
      () => undefined,
    );
  }

  /** Resolves when everything is durable; rejects with what was refused. */
  async settled(): Promise<void> {
    while (this.#emits.size > 0) await Promise.all(this.#emits);
  }
}
