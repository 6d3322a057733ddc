const INITIAL_BYTES = 64 * 1024;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MAX_DIGITS = 20;
const ZERO = 0x30;

/** Bytes that grow, and are kept for the next use. */
export class ByteWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  length = 0;

  /** Makes room for so many more bytes. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  copy(from: Uint8Array): void {
    this.reserve(from.length);
    this.bytes.set(from, this.length);
    this.length += from.length;
  }

  /** As `copy`, faster for a few bytes. */
  short(from: Uint8Array): void {
    this.reserve(from.length);
    const { bytes } = this;
    for (let index = 0; index < from.length; index++) bytes[this.length + index] = from[index]!;
    this.length += from.length;
  }

  /** A whole number from 0 to 2^53, without a string for it. */
  number(value: number): void {
    this.reserve(MAX_DIGITS);
    let digits = 1;
    for (let bound = 10; value >= bound; bound *= 10) digits++;
    const { bytes } = this;
    const end = this.length + digits;
    let at = end;
    // Small integers divide several times faster.
    for (; value > 0x7fffffff; value = Math.floor(value / 10)) bytes[--at] = ZERO + (value % 10);
    for (let rest = value | 0; at > this.length; rest = (rest / 10) | 0) bytes[--at] = ZERO + (rest % 10);
    this.length = end;
  }

  /** A JSON string of `text[0, end)`, which is UTF-8. */
  quoted(text: Uint8Array, end = text.length): void {
    this.reserve(end + 2);
    const { bytes } = this;
    let to = this.length;
    bytes[to++] = QUOTE;
    for (let from = 0; from < end; from++) {
      const byte = text[from]!;
      if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) {
        this.copy(Buffer.from(JSON.stringify(Buffer.from(text.subarray(0, end)).toString())));
        return;
      }
      bytes[to++] = byte;
    }
    bytes[to++] = QUOTE;
    this.length = to;
  }
}
