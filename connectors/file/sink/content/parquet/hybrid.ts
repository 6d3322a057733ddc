import type { PlainBytes } from './plain-bytes.ts';

/** Of a run, how many values are packed together. */
const GROUP = 8;

/** Indexes of a dictionary as a page has them: their width in bits, then one run of packed bits, the lowest first. */
export function putIndexes(bytes: PlainBytes, indexes: Int32Array, { size }: { readonly size: number }): void {
  const width = Math.max(1, 32 - Math.clz32(size - 1));
  bytes.putByte(width);
  const groups = Math.ceil(indexes.length / GROUP);
  putVarint(bytes, (groups << 1) | 1);
  let [pending, count] = [0, 0];
  for (let at = 0; at < groups * GROUP; at++) {
    // Behind the last value zeros fill the group. A width of 25 at the most keeps this within 32 bits.
    pending |= (at < indexes.length ? indexes[at]! : 0) << count;
    count += width;
    while (count >= 8) {
      bytes.putByte(pending & 0xff);
      pending >>>= 8;
      count -= 8;
    }
  }
}

/** 7 bits a byte, the lowest first. */
export function putVarint(bytes: PlainBytes, value: number): void {
  let rest = value;
  while (rest > 0x7f) {
    bytes.putByte((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.putByte(rest);
}
