import { CLOSERS, CLOSERS_BYTES } from './memory';
import { specialBytes, withinEnd } from './text';
import { characterBytes } from './utf8';

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const MINUS: u8 = 0x2d;
const COLON: u8 = 0x3a;
const OPEN_BRACKET: u8 = 0x5b;
const BACKSLASH: u8 = 0x5c;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;

const NULL: u32 = 0x6c6c756e;
const TRUE: u32 = 0x65757274;
const ALSE: u32 = 0x65736c61;

/**
 * The position after the JSON value (RFC 8259, in UTF-8) that begins at `from`, white space before it allowed; 0 when `[from, end)` does not begin with one, or it goes beyond the limits.
 * `outerDepth` counts the arrays and objects around it.
 */
export function skipJson(from: usize, end: usize, outerDepth: i32, maxDepth: i32, maxNames: u32): usize {
  if (maxDepth > CLOSERS_BYTES) return 0;
  const behind = replaceByte(end, 0);
  const after = skipValue(from, end, outerDepth, maxDepth, maxNames);
  store<u8>(end, behind);
  return after;
}

/** Is `[from, end)` one JSON value without a line feed or a carriage return, in it or around it? */
export function isJsonLine(from: usize, end: usize): bool {
  return skipJson(from, end, 0, CLOSERS_BYTES, u32.MAX_VALUE) == end && !hasLineEnd(from, end);
}

/** Before a text is read, by zero: that is part of nothing, so that nothing has to ask where the end is. Returns what was there. */
export function replaceByte(at: usize, byte: u8): u8 {
  const before = load<u8>(at);
  store<u8>(at, byte);
  return before;
}

function hasLineEnd(at: usize, end: usize): bool {
  for (; at < end; at += 16) {
    const bytes = v128.load(at);
    const ends = v128.or(i8x16.eq(bytes, i8x16.splat(0x0a)), i8x16.eq(bytes, i8x16.splat(0x0d)));
    if (withinEnd(i8x16.bitmask(ends), at, end) != 0) return true;
  }
  return false;
}

function skipValue(at: usize, end: usize, outerDepth: i32, maxDepth: i32, namesLeft: u32): usize {
  let depth = outerDepth;
  let needsName = false;
  while (true) {
    at = afterSpace(at);
    if (needsName) {
      if (load<u8>(at) != QUOTE || namesLeft-- == 0) return 0;
      at = afterString(at + 1, end);
      if (at == 0) return 0;
      at = afterSpace(at);
      if (load<u8>(at) != COLON) return 0;
      at = afterSpace(at + 1);
    }
    const byte = load<u8>(at);
    if (byte == QUOTE) at = afterString(at + 1, end);
    else if (byte == OPEN_BRACE || byte == OPEN_BRACKET) {
      if (depth == maxDepth) return 0;
      store<u8>(CLOSERS + depth++, byte + 2);
      at = afterSpace(at + 1);
      if (load<u8>(at) != byte + 2) {
        needsName = byte == OPEN_BRACE;
        continue;
      }
    } else at = afterScalar(at, byte);
    if (at == 0) return 0;
    // Behind a value, or at the end of what holds none.
    while (true) {
      if (depth == outerDepth) return at;
      at = afterSpace(at);
      const next = load<u8>(at++);
      if (next == COMMA) break;
      if (next != load<u8>(CLOSERS + --depth)) return 0;
    }
    needsName = load<u8>(CLOSERS + depth - 1) == CLOSE_BRACE;
  }
}

export function afterSpace(at: usize): usize {
  let byte = load<u8>(at);
  while (byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09) byte = load<u8>(++at);
  return at;
}

/** From behind the opening quote; 0 when no string ends before `end`. */
export function afterString(at: usize, end: usize): usize {
  while (at < end) {
    const special = specialBytes(v128.load(at));
    if (special == 0) {
      at += 16;
      continue;
    }
    at += ctz(special);
    const byte = load<u8>(at);
    if (byte == QUOTE) return at < end ? at + 1 : 0;
    const length = byte == BACKSLASH ? escapeBytes(at) : byte >= 0x80 ? characterBytes(at, end) : 0;
    if (length == 0) return 0;
    at += length;
  }
  return 0;
}

/** 0 when the backslash begins no escape. */
function escapeBytes(at: usize): usize {
  switch (load<u8>(at + 1)) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return 2;
    case 0x75: // u
      for (let digit: usize = 2; digit < 6; digit++) if (!isHexDigit(load<u8>(at + digit))) return 0;
      return 6;
    default:
      return 0;
  }
}

/** Past a number, `true`, `false` or `null`; 0 when there is none. */
export function afterScalar(at: usize, byte: u8): usize {
  if (byte == MINUS || isDigit(byte)) return afterNumber(at);
  const word = load<u32>(at);
  if (word == NULL || word == TRUE) return at + 4;
  return byte == 0x66 && load<u32>(at + 1) == ALSE ? at + 5 : 0;
}

function afterNumber(at: usize): usize {
  if (load<u8>(at) == MINUS) at++;
  const first = at;
  at = afterDigits(at);
  if (at == first || (load<u8>(first) == 0x30 && at > first + 1)) return 0;
  if (load<u8>(at) == 0x2e) {
    const fraction = at + 1;
    at = afterDigits(fraction);
    if (at == fraction) return 0;
  }
  // e and E
  if ((load<u8>(at) | 0x20) == 0x65) {
    const sign = load<u8>(at + 1);
    const exponent = at + (sign == 0x2b || sign == MINUS ? 2 : 1);
    at = afterDigits(exponent);
    if (at == exponent) return 0;
  }
  return at;
}

function afterDigits(at: usize): usize {
  while (isDigit(load<u8>(at))) at++;
  return at;
}

function isDigit(byte: u8): bool {
  return <u8>(byte - 0x30) < 10;
}

function isHexDigit(byte: u8): bool {
  return isDigit(byte) || <u8>((byte | 0x20) - 0x61) < 6;
}
