import type { Cell } from '../columns.ts';

type Comparable = Exclude<Cell, null>;

/** The least and the greatest value of a column chunk, by which readers skip it. */
export class Bounds {
  #least: Comparable | undefined;
  #greatest: Comparable | undefined;

  add(cell: Comparable): void {
    if (this.#least === undefined || cell < this.#least) this.#least = cell;
    if (this.#greatest === undefined || cell > this.#greatest) this.#greatest = cell;
  }

  /** As the footer has them; nothing of a chunk without values. Both signs of zero count as being there, says the specification. */
  get values(): { readonly min_value?: Comparable; readonly max_value?: Comparable } {
    if (this.#least === undefined || this.#greatest === undefined) return {};
    return {
      min_value: this.#least === 0 ? -0 : this.#least,
      max_value: this.#greatest === 0 ? 0 : this.#greatest,
    };
  }

  clear(): void {
    this.#least = undefined;
    this.#greatest = undefined;
  }
}
