const SMALLEST = 32;

/** Bits, the lowest of a byte first, as booleans and levels are packed. */
export class Bits {
  #bytes = new Uint8Array(0);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** A last byte that is not full ends with zeros. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, Math.ceil(this.#count / 8));
  }

  push(bit: boolean): void {
    const at = this.#count >> 3;
    if (at === this.#bytes.length) this.#grow();
    if ((this.#count & 7) === 0) this.#bytes[at] = 0;
    if (bit) this.#bytes[at]! |= 1 << (this.#count & 7);
    this.#count++;
  }

  clear(): void {
    this.#count = 0;
  }

  #grow(): void {
    const larger = new Uint8Array(Math.max(SMALLEST, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
