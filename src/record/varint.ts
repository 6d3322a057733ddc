/**
 * Kafka's variable-length integers: seven bits a byte, lowest first. In records they are zigzag-encoded (0, -1, 1, -2 … become
 * 0, 1, 2, 3 …). Lengths and deltas stay below 2^30, so that their zigzag form is a positive 32-bit integer.
 */

/** What Kafka's protocol allows at most for a 32-bit number. */
const VARINT_BYTES = 5;
const VARLONG_BYTES = 10;

export function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** Writes 0 ≤ value < 2^31 and returns the position after it. */
export function putVarint(out: Uint8Array, at: number, value: number): number {
  while (value > 0x7f) {
    out[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  out[at++] = value;
  return at;
}

/** The zigzag form of an integer of at most 52 bits: exact, below 2^53. */
export function zigzagLong(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2;
}

export function varlongSize(value: number): number {
  let size = 1;
  for (; value >= 0x80; value = Math.floor(value / 0x80)) size++;
  return size;
}

/** Writes 0 ≤ value < 2^53 and returns the position after it. */
export function putVarlong(out: Uint8Array, at: number, value: number): number {
  for (; value >= 0x80; value = Math.floor(value / 0x80)) out[at++] = (value % 0x80) | 0x80;
  out[at++] = value;
  return at;
}

/** The position after the varint that begins at `at`, or -1 when it is longer than a varlong can be or leaves the bytes. */
export function skipVarint(bytes: Uint8Array, at: number): number {
  for (let count = 0; count < VARLONG_BYTES; count++) if (bytes[at++]! < 0x80) return at;
  return -1;
}

/** The zigzag-decoded varint at `at`; its length is `skipVarint`'s business. Beyond 32 bits the result is meaningless. */
export function readVarint(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let count = 0; count < VARINT_BYTES; count++) {
    const byte = bytes[at++]!;
    value |= (byte & 0x7f) << (count * 7);
    if (byte < 0x80) break;
  }
  return (value >>> 1) ^ -(value & 1);
}

/** The zigzag-decoded varlong at `at`, exact up to 2^52 either way. */
export function readVarlong(bytes: Uint8Array, at: number): number {
  let value = 0;
  let scale = 1;
  for (let count = 0; count < VARLONG_BYTES; count++) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte < 0x80) break;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
