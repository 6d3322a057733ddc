const BYTES = 256;
const FIRST_BEYOND_ASCII = 0x80;

/** Bytes that stand for one character: 1 at the index of each. */
export type ByteSet = Uint8Array;

export function setOf(...ranges: readonly (readonly [from: number, to: number])[]): ByteSet {
  const set = new Uint8Array(BYTES);
  for (const [from, to] of ranges) set.fill(1, from, to + 1);
  return set;
}

export function union(sets: readonly ByteSet[]): ByteSet {
  const all = new Uint8Array(BYTES);
  for (const set of sets) for (let byte = 0; byte < BYTES; byte++) all[byte]! |= set[byte]!;
  return all;
}

/** Whatever is beyond ASCII is no member of a set of ASCII. */
export function complement(set: ByteSet): ByteSet {
  return set.map((member) => 1 - member);
}

/** Letters of ASCII in both cases. */
export function foldCase(set: ByteSet): ByteSet {
  const folded = set.slice();
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    const lower = upper | 0x20;
    folded[upper] = folded[lower] = set[upper]! | set[lower]!;
  }
  return folded;
}

const digits = setOf([0x30, 0x39]);
const upper = setOf([0x41, 0x5a]);
const lower = setOf([0x61, 0x7a]);
const letters = union([upper, lower]);
export const wordBytes = union([letters, digits, setOf([0x5f, 0x5f])]);
const space = setOf([0x09, 0x0d], [0x20, 0x20]);
export const anyByte = setOf([0, BYTES - 1]);

/** `\d`, `\W` and so on. */
export const escapedSets: Readonly<Record<string, ByteSet>> = {
  d: digits,
  D: complement(digits),
  w: wordBytes,
  W: complement(wordBytes),
  s: space,
  S: complement(space),
};

/** `[[:space:]]` and so on. */
export const namedSets: Readonly<Record<string, ByteSet>> = {
  ...{ alpha: letters, digit: digits, alnum: union([letters, digits]), upper, lower, space, word: wordBytes },
  blank: setOf([0x09, 0x09], [0x20, 0x20]),
  punct: setOf([0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e]),
  xdigit: union([digits, setOf([0x41, 0x46], [0x61, 0x66])]),
};

export function isAscii(code: number): boolean {
  return code < FIRST_BEYOND_ASCII;
}
