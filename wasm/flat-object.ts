import { afterScalar, afterSpace, afterString, replaceByte } from './json';
import { NAME } from './memory';
import { withinEnd } from './text';

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const OPEN_BRACKET: u8 = 0x5b;
const BACKSLASH: u8 = 0x5c;
const CLOSE_BRACKET: u8 = 0x5d;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;

/**
 * Is `[from, end)` one JSON object, its braces first and last, with members, whose values hold no objects, and arrays only of what is none? None of their names may have an escape in it,
 * begin with `reserved`, or be the `nameBytes` bytes at `NAME`.
 */
export function isFlatObject(from: usize, end: usize, nameBytes: usize, reserved: u8): bool {
  const behind = replaceByte(end, 0);
  const isFlat = load<u8>(from) == OPEN_BRACE && areMembers(from, end, nameBytes, reserved);
  store<u8>(end, behind);
  return isFlat;
}

/** `at`: the brace before them. */
function areMembers(at: usize, end: usize, nameBytes: usize, reserved: u8): bool {
  while (true) {
    at = afterSpace(at + 1);
    if (load<u8>(at) != QUOTE) return false;
    const name = at + 1;
    at = afterString(name, end);
    if (at == 0 || load<u8>(name) == reserved || isNamed(name, at - 1, nameBytes)) return false;
    if (hasEscape(name, at - 1)) return false;
    at = afterSpace(at);
    if (load<u8>(at) != COLON) return false;
    at = afterFlatValue(afterSpace(at + 1), end);
    if (at == 0) return false;
    at = afterSpace(at);
    const next = load<u8>(at);
    if (next == CLOSE_BRACE) return at + 1 == end;
    if (next != COMMA) return false;
  }
}

function isNamed(name: usize, end: usize, nameBytes: usize): bool {
  return end - name == nameBytes && memory.compare(name, NAME, nameBytes) == 0;
}

function hasEscape(at: usize, end: usize): bool {
  for (; at < end; at += 16) {
    const backslashes = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(BACKSLASH)));
    if (withinEnd(backslashes, at, end) != 0) return true;
  }
  return false;
}

/** 0 when it is something else. */
function afterFlatValue(at: usize, end: usize): usize {
  if (load<u8>(at) != OPEN_BRACKET) return afterElement(at, end);
  at = afterSpace(at + 1);
  if (load<u8>(at) == CLOSE_BRACKET) return at + 1;
  while (true) {
    at = afterElement(at, end);
    if (at == 0) return 0;
    at = afterSpace(at);
    const next = load<u8>(at);
    if (next == CLOSE_BRACKET) return at + 1;
    if (next != COMMA) return 0;
    at = afterSpace(at + 1);
  }
}

function afterElement(at: usize, end: usize): usize {
  const byte = load<u8>(at);
  return byte == QUOTE ? afterString(at + 1, end) : afterScalar(at, byte);
}
