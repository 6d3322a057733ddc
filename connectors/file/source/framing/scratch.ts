import { utf8Bytes, type TextForm } from './encoding.ts';

const LEAST_BYTES = 4096;

/** Where a reader writes text anew; used for one record after the other. */
export class Scratch {
  bytes = Buffer.allocUnsafeSlow(LEAST_BYTES);

  /** Room for what `length` bytes of a file become. */
  room(form: TextForm, length: number): Buffer {
    const needed = utf8Bytes(form, length);
    if (this.bytes.length < needed) this.bytes = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(needed)));
    return this.bytes;
  }

  /** The same behind the first `at` bytes, which stay. */
  more(form: TextForm, at: number, length: number): Buffer {
    const needed = at + utf8Bytes(form, length);
    if (this.bytes.length < needed) {
      const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(needed)));
      this.bytes.copy(larger, 0, 0, at);
      this.bytes = larger;
    }
    return this.bytes;
  }

  /** Gives back the memory that a long record took. */
  trim(): void {
    if (this.bytes.length > 64 * LEAST_BYTES) this.bytes = Buffer.allocUnsafeSlow(LEAST_BYTES);
  }
}
