import { isUtf8 } from 'node:buffer';
import type { CodecFault } from './limits.ts';

const LONGEST_CHARACTER_BYTES = 4;

/** Null when all bytes are UTF-8, else where the first wrong one is. */
export function utf8Fault(bytes: Buffer): CodecFault | null {
  if (isUtf8(bytes)) return null;
  return { code: 'DECODE_INVALID', at: firstWrongByte(bytes), reason: 'expected UTF-8, found bytes that are not' };
}

/** Halves the bytes, since the native check tells that there is a wrong byte, but not where. */
function firstWrongByte(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 2 * LONGEST_CHARACTER_BYTES) {
    const middle = characterStart(bytes, (good + bad) >>> 1);
    if (isUtf8(bytes.subarray(good, middle))) good = middle;
    else bad = middle;
  }
  for (;;) {
    const length = characterBytes(bytes, good);
    if (length === 0) return good;
    good += length;
  }
}

/** At or before `at`: a cut within a character would make both its halves wrong. */
function characterStart(bytes: Buffer, at: number): number {
  let start = at;
  while (start > at - LONGEST_CHARACTER_BYTES + 1 && (bytes[start]! & 0xc0) === 0x80) start--;
  return start;
}

/** 0 when no character begins at `at`. */
function characterBytes(bytes: Buffer, at: number): number {
  for (let length = 1; length <= LONGEST_CHARACTER_BYTES && at + length <= bytes.length; length++) {
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  }
  return 0;
}
