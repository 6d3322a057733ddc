import type { Marks } from './marks.ts';

/** Tells the subscriptions of one thread when a topic has moved: one wait in shared memory for all of them. */
export class TopicWatch {
  readonly #marks: Marks;
  readonly #topic: number;
  readonly #listeners = new Set<() => void>();
  #isWaiting = false;
  #isClosed = false;

  constructor(marks: Marks, topic: number) {
    this.#marks = marks;
    this.#topic = topic;
  }

  /** `onTurn` is called at every turn, until the returned function is. */
  listen(onTurn: () => void): () => void {
    this.#listeners.add(onTurn);
    if (!this.#isWaiting) void this.#watch();
    return () => this.#listeners.delete(onTurn);
  }

  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    this.#marks.rouse(this.#topic);
  }

  async #watch(): Promise<void> {
    this.#isWaiting = true;
    let turn = this.#marks.turn(this.#topic);
    while (!this.#isClosed && this.#listeners.size > 0) {
      await this.#marks.nextTurn(this.#topic, turn);
      turn = this.#marks.turn(this.#topic);
      for (const onTurn of [...this.#listeners]) onTurn();
    }
    this.#isWaiting = false;
  }
}
