const SMALLEST = 256;
/** Up to here a loop is quicker than a call of the engine. */
const SHORT_TEXT = 24;

/** Values in Parquet's encoding PLAIN, little-endian, in memory that is used again. */
export class PlainBytes {
  #bytes = Buffer.alloc(0);
  #length = 0;
  /** Whether all texts are: then their order as strings is that of their bytes. */
  isAscii = true;

  get length(): number {
    return this.#length;
  }

  /** Valid until the next put. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    this.isAscii = true;
  }

  putByte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  putInt32(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeInt32LE(value, this.#length);
  }

  /** A safe integer, or anything of 64 bits. */
  putInt64(value: number | bigint): void {
    this.#reserve(8);
    if (typeof value === 'bigint') this.#length = this.#bytes.writeBigInt64LE(value, this.#length);
    else {
      const high = Math.floor(value / 2 ** 32);
      this.#length = this.#bytes.writeUInt32LE(value - high * 2 ** 32, this.#length);
      this.#length = this.#bytes.writeInt32LE(high, this.#length);
    }
  }

  putFloat(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeFloatLE(value, this.#length);
  }

  putDouble(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  /** Its length in bytes, and UTF-8. */
  putText(text: string): void {
    this.#reserve(4 + 3 * text.length);
    const start = this.#length + 4;
    let written = text.length <= SHORT_TEXT ? this.#putAscii(text, start) : -1;
    if (written < 0) written = this.#bytes.write(text, start, 'utf8');
    if (written !== text.length) this.isAscii = false;
    this.#bytes.writeUInt32LE(written, this.#length);
    this.#length = start + written;
  }

  /** −1 when it is more than ASCII. */
  #putAscii(text: string, start: number): number {
    const bytes = this.#bytes;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0x7f) return -1;
      bytes[start + at] = code;
    }
    return text.length;
  }

  #reserve(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(SMALLEST, wanted, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
