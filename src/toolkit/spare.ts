/** Lends things that take long to make, or much memory, and keeps a few that came back. */
export class Spare<Thing> {
  readonly #make: () => Thing;
  readonly #most: number;
  readonly #things: Thing[] = [];
  #lent = 0;

  constructor(most: number, make: () => Thing) {
    this.#most = most;
    this.#make = make;
  }

  /** More are lent than are kept: whoever can give one back soon should. */
  get isShort(): boolean {
    return this.#lent > this.#most;
  }

  take(): Thing {
    this.#lent++;
    return this.#things.pop() ?? this.#make();
  }

  give(thing: Thing): void {
    this.#lent--;
    if (this.#things.length < this.#most) this.#things.push(thing);
  }
}
