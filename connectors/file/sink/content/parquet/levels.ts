import { Bits } from './bits.ts';
import { putVarint } from './hybrid.ts';
import { PlainBytes } from './plain-bytes.ts';

/** Which cells of an optional column are there: its definition levels, of one bit. */
export class Levels {
  rows = 0;
  nulls = 0;
  readonly #bits = new Bits();

  add(isThere: boolean): void {
    // Columns without a hole need no bits.
    if (!isThere && this.nulls++ === 0) for (let row = 0; row < this.rows; row++) this.#bits.push(true);
    if (this.nulls > 0) this.#bits.push(isThere);
    this.rows++;
  }

  clear(): void {
    this.rows = 0;
    this.nulls = 0;
    this.#bits.clear();
  }

  /** In the hybrid of runs and packed bits; a page of version 2 has no length before it. */
  encode(): Uint8Array {
    const bytes = new PlainBytes();
    if (this.nulls === 0) {
      putVarint(bytes, this.rows << 1);
      bytes.putByte(1);
      return bytes.bytes;
    }
    const packed = this.#bits.bytes;
    putVarint(bytes, (packed.length << 1) | 1);
    return Buffer.concat([bytes.bytes, packed]);
  }
}
