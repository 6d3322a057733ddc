const DIGIT = 1;
const HEX = 2;

/** What each byte may be inside a JSON text. */
const bytesAre = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const letter = byte | 0x20;
  return (isDigit ? DIGIT : 0) | (isDigit || (letter >= 0x61 && letter <= 0x66) ? HEX : 0);
});

// The tokens of JSON texts (RFC 8259, in valid UTF-8), by functions without state, so that whoever walks a text keeps its position in a local variable. Each
// returns the position after what it is named for; where there is no such thing, the complement (`~`) of where the fault is. None knows where the text
// ends but `afterString`: who calls sees to it that a byte behind it ends every other token, or refuses what went past the end.

/** Past JSON's white space: blanks, tabs, line feeds, carriage returns. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
  }
  return at;
}

export function afterScalar(bytes: Uint8Array, at: number, byte: number): number {
  if (byte === 0x2d || (bytesAre[byte]! & DIGIT) !== 0) return afterNumber(bytes, at);
  if (byte === 0x74) return isWord(bytes, at, 0x72, 0x75, 0x65) ? at + 4 : ~at;
  if (byte === 0x66) return isWord(bytes, at, 0x61, 0x6c, 0x73) && bytes[at + 4] === 0x65 ? at + 5 : ~at;
  if (byte === 0x6e) return isWord(bytes, at, 0x75, 0x6c, 0x6c) ? at + 4 : ~at;
  return ~at;
}

function isWord(bytes: Uint8Array, at: number, second: number, third: number, fourth: number): boolean {
  return bytes[at + 1] === second && bytes[at + 2] === third && bytes[at + 3] === fourth;
}

/**
 * From behind the opening quote, hardly further than `end`. Four bytes at a time: strings are most of what JSON is. `words` is a view of all of `bytes`.
 */
export function afterString(bytes: Uint8Array, words: DataView, at: number, end: number, mayEscape = true): number {
  const lastWord = Math.min(end, bytes.length - 4);
  for (;;) {
    while (at <= lastWord) {
      const word = words.getInt32(at, true);
      // The high bit of each byte that is a control character, a quote, a backslash or no ASCII, and of some behind such a one.
      const special =
        ((word - 0x20202020) | ((word ^ 0x22222222) - 0x01010101) | ((word ^ 0x5c5c5c5c) - 0x01010101) | word) &
        0x80808080;
      if (special !== 0) {
        at += (31 - Math.clz32(special & -special)) >> 3;
        break;
      }
      at += 4;
    }
    if (at >= end) return ~at;
    const byte = bytes[at]!;
    if (byte === 0x22) return at + 1;
    const isPlain = byte >= 0x20 && byte < 0x80 && byte !== 0x5c;
    const after = isPlain ? at + 1 : byte !== 0x5c ? afterCharacter(bytes, at) : mayEscape ? afterEscape(bytes, at) : 0;
    if (after === 0) return ~at;
    at = after;
  }
}

function afterNumber(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === 0x2d ? start + 1 : start;
  const digits = at;
  at = afterDigits(bytes, at);
  let isNumber = at > digits && (bytes[digits] !== 0x30 || at === digits + 1);
  if (bytes[at] === 0x2e) {
    const fraction = at + 1;
    at = afterDigits(bytes, fraction);
    isNumber &&= at > fraction;
  }
  if ((bytes[at]! | 0x20) === 0x65) {
    const sign = bytes[at + 1];
    const exponent = at + (sign === 0x2b || sign === 0x2d ? 2 : 1);
    at = afterDigits(bytes, exponent);
    isNumber &&= at > exponent;
  }
  return isNumber ? at : ~start;
}

function afterDigits(bytes: Uint8Array, at: number): number {
  while ((bytesAre[bytes[at]!]! & DIGIT) !== 0) at++;
  return at;
}

/** 0 when the backslash begins no escape. */
function afterEscape(bytes: Uint8Array, at: number): number {
  switch (bytes[at + 1]) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 2;
    case 0x75: // u
      for (let digit = at + 2; digit < at + 6; digit++) if ((bytesAre[bytes[digit]!]! & HEX) === 0) return 0;
      return at + 6;
    default:
      return 0;
  }
}

/** 0 when the byte begins no well-formed UTF-8 sequence (Unicode 16, table 3-7). */
function afterCharacter(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const second = bytes[at + 1]!;
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return isContinuation(second) ? at + 2 : 0;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest || !isContinuation(bytes[at + 2]!)) return 0;
  if (first < 0xf0) return at + 3;
  return isContinuation(bytes[at + 3]!) ? at + 4 : 0;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
