const DIGIT = 1;
const HEX = 2;

/** What each byte may be inside a JSON text. */
const bytesAre = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const letter = byte | 0x20;
  return (isDigit ? DIGIT : 0) | (isDigit || (letter >= 0x61 && letter <= 0x66) ? HEX : 0);
});

const OBJECT = 1;
const ARRAY = 2;

/**
 * Checks that bytes are one JSON text (RFC 8259, in valid UTF-8) and makes it one line: line feeds, which may stand between
 * its tokens only, become spaces. No object per record: nothing is decoded. Of a sink's work this is the largest part: positions stay in local variables, and
 * strings are looked at four bytes at a time.
 */
export class JsonLine {
  #bytes: Uint8Array = new Uint8Array(0);
  #words = new DataView(this.#bytes.buffer);
  #nesting = new Uint8Array(256);

  /**
   * Checks `bytes[start, end)`. `bytes[end]` must be there and be a line feed: no token goes past it. Returns -1, or where the fault is,
   * counted from `start`.
   */
  check(bytes: Uint8Array, start: number, end: number): number {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const words = this.#words;
    let at = start;
    let depth = 0;
    let isObject = false;
    let needsName = false;
    for (;;) {
      at = afterSpace(bytes, at, end);
      if (needsName) {
        if (bytes[at] !== 0x22) return at - start;
        at = afterString(bytes, words, at + 1);
        if (at < 0) return ~at - start;
        at = afterSpace(bytes, at, end);
        if (bytes[at] !== 0x3a) return at - start;
        at = afterSpace(bytes, at + 1, end);
      }
      const byte = bytes[at]!;
      if (byte === 0x22) at = afterString(bytes, words, at + 1);
      else if (byte === 0x7b || byte === 0x5b) {
        at = afterSpace(bytes, at + 1, end);
        if (bytes[at] !== byte + 2) {
          isObject = needsName = byte === 0x7b;
          if (depth === this.#nesting.length) this.#grow();
          this.#nesting[depth++] = isObject ? OBJECT : ARRAY;
          continue;
        }
        at++;
      } else at = afterScalar(bytes, at, byte);
      if (at < 0) return ~at - start;
      // Behind a value.
      for (;;) {
        at = afterSpace(bytes, at, end);
        if (depth === 0) return at === end ? -1 : at - start;
        const next = bytes[at]!;
        if (next === 0x2c) break;
        if (next !== (isObject ? 0x7d : 0x5d)) return at - start;
        at++;
        depth--;
        isObject = depth > 0 && this.#nesting[depth - 1] === OBJECT;
      }
      at++;
      needsName = isObject;
    }
  }

  #grow(): void {
    const larger = new Uint8Array(this.#nesting.length * 2);
    larger.set(this.#nesting);
    this.#nesting = larger;
  }
}

// Each of these returns the position after what it is named for; where there is no such thing, the complement (`~`) of where the fault is.

function afterSpace(bytes: Uint8Array, at: number, end: number): number {
  for (; bytes[at]! <= 0x20 && at < end; at++) {
    const byte = bytes[at]!;
    if (byte === 0x0a || byte === 0x0d) bytes[at] = 0x20;
    else if (byte !== 0x20 && byte !== 0x09) break;
  }
  return at;
}

function afterScalar(bytes: Uint8Array, at: number, byte: number): number {
  if (byte === 0x2d || (bytesAre[byte]! & DIGIT) !== 0) return afterNumber(bytes, at);
  if (byte === 0x74) return isWord(bytes, at, 0x72, 0x75, 0x65) ? at + 4 : ~at;
  if (byte === 0x66) return isWord(bytes, at, 0x61, 0x6c, 0x73) && bytes[at + 4] === 0x65 ? at + 5 : ~at;
  if (byte === 0x6e) return isWord(bytes, at, 0x75, 0x6c, 0x6c) ? at + 4 : ~at;
  return ~at;
}

function isWord(bytes: Uint8Array, at: number, second: number, third: number, fourth: number): boolean {
  return bytes[at + 1] === second && bytes[at + 2] === third && bytes[at + 3] === fourth;
}

/** From behind the opening quote. */
function afterString(bytes: Uint8Array, words: DataView, at: number): number {
  const lastWord = bytes.length - 4;
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
    const byte = bytes[at]!;
    if (byte === 0x22) return at + 1;
    const isPlain = byte >= 0x20 && byte < 0x80 && byte !== 0x5c;
    const after = isPlain ? at + 1 : byte === 0x5c ? afterEscape(bytes, at) : afterCharacter(bytes, at);
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
