import type { Cell } from '../columns.ts';

const SMALLEST = 1024;
/** So many different values are not judged yet. */
const UNJUDGED = 4096;

/** The different values of a column, and which one each cell is; given up when too few are alike. */
export class Dictionary {
  readonly #indexOf = new Map<Cell, number>();
  #values: Cell[] = [];
  #indexes = new Int32Array(0);
  #count = 0;

  get values(): readonly Cell[] {
    return this.#values;
  }

  get indexes(): Int32Array {
    return this.#indexes.subarray(0, this.#count);
  }

  /** Whether it takes less than the values themselves, roughly: each of them is there twice at least. */
  get isWorthIt(): boolean {
    return this.#count > 0 && 2 * this.#values.length <= this.#count;
  }

  /** Whether it goes on; the cell is in it in any case. */
  add(cell: Cell): boolean {
    let index = this.#indexOf.get(cell);
    if (index === undefined) {
      index = this.#values.push(cell) - 1;
      this.#indexOf.set(cell, index);
    }
    if (this.#count === this.#indexes.length) this.#grow();
    this.#indexes[this.#count++] = index;
    return this.#values.length <= UNJUDGED || this.isWorthIt;
  }

  clear(): void {
    this.#indexOf.clear();
    this.#values = [];
    this.#count = 0;
  }

  #grow(): void {
    const larger = new Int32Array(Math.max(SMALLEST, 2 * this.#indexes.length));
    larger.set(this.#indexes);
    this.#indexes = larger;
  }
}
