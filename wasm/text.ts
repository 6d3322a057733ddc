import { SHORT_ESCAPES, SPREADS } from './memory';
import { characterBytes } from './utf8';

const SPACE: u8 = 0x20;
const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const VECTOR_BYTES: usize = 16;
const HALF_VECTOR_BYTES: usize = 8;

/** A bit for each of sixteen bytes that is a control character, a quote, a backslash or no ASCII. */
export function specialBytes(bytes: v128): i32 {
  return i8x16.bitmask(v128.or(i8x16.lt_s(bytes, i8x16.splat(SPACE)), needsBackslash(bytes)));
}

/** Of a bit for each of the sixteen bytes at `at` those that lie before `end`, which lies behind `at`. */
export function withinEnd(bits: i32, at: usize, end: usize): i32 {
  return end - at < VECTOR_BYTES ? bits & ((1 << i32(end - at)) - 1) : bits;
}

/**
 * Writes a JSON string of `[at, end)` at `to` and returns where it ends; 0 when that is not UTF-8. It reads and writes a vector at a time, so up to fifteen bytes behind both.
 */
export function writeText(at: usize, end: usize, to: usize): usize {
  store<u8>(to++, QUOTE);
  while (at < end) {
    const bytes = v128.load(at);
    v128.store(to, bytes);
    const left = end - at;
    let special = specialBytes(bytes);
    if (left < VECTOR_BYTES) special &= (1 << (<i32>left)) - 1;
    if (special == 0) {
      if (left <= VECTOR_BYTES) {
        to += left;
        break;
      }
      at += VECTOR_BYTES;
      to += VECTOR_BYTES;
      continue;
    }
    const plain = <usize>ctz(special);
    at += plain;
    to += plain;
    const behind = at + HALF_VECTOR_BYTES <= end ? writeSpread(at, to) : 0;
    if (behind != 0) {
      at += HALF_VECTOR_BYTES;
      to = behind;
      continue;
    }
    const byte = load<u8>(at);
    if (byte >= 0x80) {
      const length = characterBytes(at, end);
      if (length == 0) return 0;
      store<u32>(to, load<u32>(at));
      at += length;
      to += length;
    } else {
      to = writeEscape(byte, to);
      at++;
    }
  }
  store<u8>(to, QUOTE);
  return to + 1;
}

function needsBackslash(bytes: v128): v128 {
  return v128.or(i8x16.eq(bytes, i8x16.splat(QUOTE)), i8x16.eq(bytes, i8x16.splat(BACKSLASH)));
}

/** Writes eight bytes with a backslash before those that take one, and returns where they end; 0 when one of them takes more than that. */
function writeSpread(at: usize, to: usize): usize {
  const bytes = v128.load64_zero(at);
  if ((i8x16.bitmask(i8x16.lt_s(bytes, i8x16.splat(SPACE))) & 0xff) != 0) return 0;
  const escaped = i8x16.bitmask(needsBackslash(bytes));
  const spread = v128.load(SPREADS + ((<usize>escaped) << 4));
  const backslashes = v128.and(i8x16.lt_s(spread, i8x16.splat(0)), i8x16.splat(BACKSLASH));
  v128.store(to, v128.or(i8x16.swizzle(bytes, spread), backslashes));
  return to + HALF_VECTOR_BYTES + <usize>popcnt(escaped);
}

function writeEscape(byte: u8, to: usize): usize {
  store<u8>(to, BACKSLASH);
  const letter: u8 = byte >= SPACE ? byte : load<u8>(SHORT_ESCAPES + byte);
  if (letter != 0) {
    store<u8>(to + 1, letter);
    return to + 2;
  }
  store<u8>(to + 1, 0x75);
  store<u16>(to + 2, 0x3030);
  store<u8>(to + 4, 0x30 + (byte >> 4));
  const last: u8 = byte & 15;
  store<u8>(to + 5, last + (last < 10 ? 0x30 : 0x57));
  return to + 6;
}
