/** How MessagePack (github.com/msgpack/msgpack, spec.md) lays out values: by the first byte, what follows it before any value within. */

/** Whole bytes of a value whose size hangs on its first byte alone; 0 where a length follows, or values within. */
export const FIXED_BYTES = new Uint8Array(256);
/** Bytes of the length behind the first byte; 0 where there is none. */
export const LENGTH_BYTES = new Uint8Array(256);

export const NIL = 0xc0;
export const RESERVED = 0xc1;
export const FALSE = 0xc2;
export const TRUE = 0xc3;
const BIN8 = 0xc4;
const BIN32 = 0xc6;
export const EXT8 = 0xc7;
export const EXT32 = 0xc9;
export const FLOAT32 = 0xca;
export const FLOAT64 = 0xcb;
export const UINT8 = 0xcc;
export const UINT16 = 0xcd;
export const UINT32 = 0xce;
export const UINT64 = 0xcf;
export const INT8 = 0xd0;
export const INT16 = 0xd1;
export const INT32 = 0xd2;
export const INT64 = 0xd3;
export const FIXEXT1 = 0xd4;
export const FIXEXT16 = 0xd8;
const STR8 = 0xd9;
const STR32 = 0xdb;
const ARRAY16 = 0xdc;
const ARRAY32 = 0xdd;
const MAP16 = 0xde;
const MAP32 = 0xdf;

for (let byte = 0; byte < 256; byte++) {
  if (byte < 0x80 || byte >= 0xe0) FIXED_BYTES[byte] = 1;
  else if (byte >= 0xa0 && byte < 0xc0) FIXED_BYTES[byte] = 1 + (byte & 0x1f);
}
FIXED_BYTES[NIL] = FIXED_BYTES[FALSE] = FIXED_BYTES[TRUE] = 1;
for (const [first, sizes] of [
  [FLOAT32, [5, 9]],
  [UINT8, [2, 3, 5, 9]],
  [INT8, [2, 3, 5, 9]],
  [FIXEXT1, [3, 4, 6, 10, 18]],
] as const)
  FIXED_BYTES.set(sizes, first);
for (const first of [BIN8, EXT8, STR8]) LENGTH_BYTES.set([1, 2, 4], first);
for (const first of [ARRAY16, MAP16]) LENGTH_BYTES.set([2, 4], first);

export function isArray(byte: number): boolean {
  return (byte & 0xf0) === 0x90 || byte === ARRAY16 || byte === ARRAY32;
}

export function isMap(byte: number): boolean {
  return (byte & 0xf0) === 0x80 || byte === MAP16 || byte === MAP32;
}

/** Text or bytes: writers use one for the other. */
export function isBytes(byte: number): boolean {
  return (byte >= 0xa0 && byte < 0xc0) || (byte >= BIN8 && byte <= BIN32) || (byte >= STR8 && byte <= STR32);
}

export function isExt(byte: number): boolean {
  return (byte >= FIXEXT1 && byte <= FIXEXT16) || (byte >= EXT8 && byte <= EXT32);
}

export function isNumber(byte: number): boolean {
  return byte < 0x80 || byte >= 0xe0 || (byte >= FLOAT32 && byte <= INT64);
}

/** The length, or the number of elements or pairs, of the value at `at`, whose head is there. */
export function lengthAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]!;
  switch (LENGTH_BYTES[byte]) {
    case 1:
      return bytes[at + 1]!;
    case 2:
      return (bytes[at + 1]! << 8) | bytes[at + 2]!;
    case 4:
      return ((bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!) >>> 0;
    default:
      return byte < 0xa0 ? byte & 0x0f : byte < 0xc0 ? byte & 0x1f : 1 << (byte - FIXEXT1);
  }
}
