/** Lends things that take long to make, or much memory, and keeps a few that came back. */
export class Spare<Thing> {
  readonly #make: () => Thing;
  readonly #most: number;
  readonly #things: Thing[] = [];

  constructor(most: number, make: () => Thing) {
    this.#most = most;
    this.#make = make;
  }

  take(): Thing {
    return this.#things.pop() ?? this.#make();
  }

  give(thing: Thing): void {
    if (this.#things.length < this.#most) this.#things.push(thing);
  }
}
