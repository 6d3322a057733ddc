import { NAMES, READ_UP_TO } from './memory';
import { writeText } from './text';

const SPACE: u8 = 0x20;
const ABSENT: u8 = 0x2d;
const CLOSE_BRACE: u8 = 0x7d;
/** Of UTF-8, before text. */
const BYTE_ORDER_MARK: u32 = 0xbfbbef;
const VECTOR_BYTES: usize = 16;

/**
 * Writes words, a space behind each, and the rest of `[from, end)` as members that end an object, and returns where that ends. `NAMES` holds the number of words; then of each the
 * length of `,"name":` and that, a length of zero where a word has to be absent; then that of the rest. A word that is absent is `-`; a byte order mark before the rest is left out.
 * `READ_UP_TO` holds the end of the first word. Returns 0 where there are not so many words, where they are not UTF-8, or one is there that must not be.
 */
export function writeWords(from: usize, end: usize, to: usize): usize {
  let at = from;
  let name = NAMES + 1;
  for (let left = load<u8>(NAMES); left > 0; left--) {
    const wordEnd = endOfWord(at, end);
    if (wordEnd == 0) return 0;
    if (at == from) store<u32>(READ_UP_TO, <u32>wordEnd);
    if (wordEnd != at + 1 || load<u8>(at) != ABSENT) {
      if (load<u8>(name) == 0) return 0;
      to = writeText(at, wordEnd, writeName(name, to));
      if (to == 0) return 0;
    }
    name += 1 + <usize>load<u8>(name);
    at = wordEnd + 1;
  }
  if (at + 3 <= end && (load<u32>(at) & 0xffffff) == BYTE_ORDER_MARK) at += 3;
  to = writeText(at, end, writeName(name, to));
  if (to == 0) return 0;
  store<u8>(to, CLOSE_BRACE);
  return to + 1;
}

/** The space behind it; 0 when none comes before `end`. */
function endOfWord(at: usize, end: usize): usize {
  for (; at < end; at += VECTOR_BYTES) {
    const spaces = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(SPACE)));
    if (spaces == 0) continue;
    const space = at + ctz(spaces);
    return space < end ? space : 0;
  }
  return 0;
}

/** Up to two vectors. */
function writeName(name: usize, to: usize): usize {
  v128.store(to, v128.load(name + 1));
  v128.store(to + VECTOR_BYTES, v128.load(name + 1 + VECTOR_BYTES));
  return to + <usize>load<u8>(name);
}
