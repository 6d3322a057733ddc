const WORD_BYTES = 4;
const BITS = 8;
const LONGEST_ESCAPE = 6;
const HEX = Buffer.from('0123456789abcdef');
/** A byte that takes six characters, or is no ASCII. */
const IS_HARD = 1 << 24;

/** By byte: how it stands in a JSON string, in the lower two bytes, first byte first, and how many they are, in the third. */
const FORMS = Int32Array.from({ length: 256 }, (_, byte) => (byte < 0x20 || byte >= 0x80 ? IS_HARD : byte | (1 << 16)));
for (const pair of ['""', '\\\\', '\bb', '\ff', '\nn', '\rr', '\tt'])
  FORMS[pair.charCodeAt(0)] = 0x5c | (pair.charCodeAt(pair.length - 1) << 8) | (2 << 16);
/** By how many bytes of a word count: harmless ones in place of the others. */
const HARMLESS = Int32Array.of(0, 0x61616100, 0x61610000, 0x61000000);

/** What a JSON string of so many bytes needs at most, with the word that reaches behind its end. */
export function roomForText(bytes: number): number {
  return LONGEST_ESCAPE * bytes + 2 + WORD_BYTES;
}

/**
 * Writes a JSON string of `from[start, end)` and returns where it ends; -1 when they are not UTF-8. Four bytes at a time: as they are where they stand for themselves,
 * else by their forms, without a branch for each. So it may write behind its end.
 */
export function putText(from: DataView, start: number, end: number, into: DataView, first: number): number {
  into.setUint8(first, 0x22);
  let to = first + 1;
  for (let at = start; at < end;) {
    if (at + WORD_BYTES <= end) {
      const word = from.getInt32(at, true);
      if (!isSpecial(word)) {
        into.setInt32(to, word, true);
        at += WORD_BYTES;
        to += WORD_BYTES;
        continue;
      }
      const one = FORMS[word & 0xff]!;
      const two = FORMS[(word >> 8) & 0xff]!;
      const three = FORMS[(word >> 16) & 0xff]!;
      const four = FORMS[word >>> 24]!;
      if (((one | two | three | four) & IS_HARD) === 0) {
        into.setInt16(to, one, true);
        into.setInt16((to += one >> 16), two, true);
        into.setInt16((to += two >> 16), three, true);
        into.setInt16((to += three >> 16), four, true);
        to += four >> 16;
        at += WORD_BYTES;
        continue;
      }
    } else if (end - start >= WORD_BYTES) {
      // The last word of the text again, without what is written already: behind the text there may be nothing to read.
      const count = end - at;
      const word = from.getInt32(end - WORD_BYTES, true) >>> (BITS * (WORD_BYTES - count));
      if (!isSpecial(word | HARMLESS[count]!)) {
        into.setInt32(to, word, true);
        to += count;
        break;
      }
    }
    const byte = from.getUint8(at);
    const form = FORMS[byte]!;
    if (form !== IS_HARD) {
      into.setInt16(to, form, true);
      to += form >> 16;
      at++;
    } else if (byte < 0x20) {
      putControl(byte, into, to);
      to += LONGEST_ESCAPE;
      at++;
    } else {
      const next = at + characterBytes(from, at, end);
      if (next === at) return -1;
      for (; at < next; at++) into.setUint8(to++, from.getUint8(at));
    }
  }
  into.setUint8(to, 0x22);
  return to + 1;
}

/** Writes a whole number below 2^31 and returns where it ends. */
export function putDigits(value: number, into: DataView, at: number): number {
  const end = at + digitsOf(value);
  let place = end - 1;
  let rest = value | 0;
  for (; rest >= 10; place--) {
    const tenth = (rest / 10) | 0;
    into.setUint8(place, 0x30 + rest - 10 * tenth);
    rest = tenth;
  }
  into.setUint8(place, 0x30 + rest);
  return end;
}

/** Most are short. */
function digitsOf(value: number): number {
  if (value < 1000) return value < 10 ? 1 : value < 100 ? 2 : 3;
  if (value < 1_000_000) return value < 10_000 ? 4 : value < 100_000 ? 5 : 6;
  if (value < 100_000_000) return value < 10_000_000 ? 7 : 8;
  return value < 1_000_000_000 ? 9 : 10;
}

/** Is one of four bytes a control character, a quote, a backslash, or no ASCII? Says yes to a few more, never no to one of these. */
function isSpecial(word: number): boolean {
  const quotes = word ^ 0x22222222;
  const backslashes = word ^ 0x5c5c5c5c;
  const found = (word - 0x20202020) | (quotes - 0x01010101) | (backslashes - 0x01010101) | word;
  return (found & 0x80808080) !== 0;
}

/** `\u001f` */
function putControl(byte: number, into: DataView, at: number): void {
  into.setInt16(at, 0x755c, true);
  into.setInt16(at + 2, 0x3030, true);
  into.setUint8(at + 4, HEX[byte >> 4]!);
  into.setUint8(at + 5, HEX[byte & 15]!);
}

/** Of the UTF-8 character at `at`, which is no ASCII; 0 when there is none (RFC 3629, section 4). */
function characterBytes(from: DataView, at: number, end: number): number {
  const first = from.getUint8(at);
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > end) return 0;
  const second = from.getUint8(at + 1);
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let index = 2; index < length; index++) if ((from.getUint8(at + index) & 0xc0) !== 0x80) return 0;
  return length;
}
