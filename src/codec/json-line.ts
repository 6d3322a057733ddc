const PLAIN = 1;
const DIGIT = 2;
const HEX = 4;

/** What each byte may be inside a JSON text. */
const bytesAre = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isPlain = byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c;
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const letter = byte | 0x20;
  return (isPlain ? PLAIN : 0) | (isDigit ? DIGIT : 0) | (isDigit || (letter >= 0x61 && letter <= 0x66) ? HEX : 0);
});

const OBJECT = 1;
const ARRAY = 2;

/**
 * Checks that bytes are one JSON text (RFC 8259, in valid UTF-8) and makes it one line: line feeds, which may stand between
 * its tokens only, become spaces. No object per record: nothing is decoded.
 */
export class JsonLine {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #nesting = new Uint8Array(256);

  /**
   * Checks `bytes[start, end)`. `bytes[end]` must be there and be a line feed: no token goes past it. Returns -1, or where the fault is,
   * counted from `start`.
   */
  check(bytes: Uint8Array, start: number, end: number): number {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    return this.#text() ? -1 : this.#at - start;
  }

  #text(): boolean {
    let depth = 0;
    for (;;) {
      // Before a value.
      this.#space();
      const byte = this.#bytes[this.#at]!;
      if (byte === 0x7b || byte === 0x5b) {
        this.#at++;
        this.#space();
        const isObject = byte === 0x7b;
        if (this.#bytes[this.#at] === (isObject ? 0x7d : 0x5d)) this.#at++;
        else {
          if (depth === this.#nesting.length) this.#grow();
          this.#nesting[depth++] = isObject ? OBJECT : ARRAY;
          if (isObject && !this.#name()) return false;
          continue;
        }
      } else if (!this.#scalar(byte)) return false;
      // Behind a value.
      for (;;) {
        this.#space();
        if (depth === 0) return this.#at === this.#end;
        const next = this.#bytes[this.#at]!;
        const isObject = this.#nesting[depth - 1] === OBJECT;
        if (next === 0x2c) {
          this.#at++;
          if (isObject) {
            this.#space();
            if (!this.#name()) return false;
          }
          break;
        }
        if (next !== (isObject ? 0x7d : 0x5d)) return false;
        this.#at++;
        depth--;
      }
    }
  }

  #space(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (; at < this.#end; at++) {
      const byte = bytes[at]!;
      if (byte === 0x0a || byte === 0x0d) bytes[at] = 0x20;
      else if (byte !== 0x20 && byte !== 0x09) break;
    }
    this.#at = at;
  }

  #name(): boolean {
    if (this.#bytes[this.#at] !== 0x22 || !this.#string()) return false;
    this.#space();
    if (this.#bytes[this.#at] !== 0x3a) return false;
    this.#at++;
    return true;
  }

  #scalar(byte: number): boolean {
    if (byte === 0x22) return this.#string();
    if (byte === 0x2d || (bytesAre[byte]! & DIGIT) !== 0) return this.#number();
    if (byte === 0x74) return this.#word(0x72, 0x75, 0x65, 0);
    if (byte === 0x66) return this.#word(0x61, 0x6c, 0x73, 0x65);
    if (byte === 0x6e) return this.#word(0x75, 0x6c, 0x6c, 0);
    return false;
  }

  #word(second: number, third: number, fourth: number, fifth: number): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (bytes[at + 1] !== second || bytes[at + 2] !== third || bytes[at + 3] !== fourth) return false;
    if (fifth !== 0 && bytes[at + 4] !== fifth) return false;
    this.#at = at + (fifth === 0 ? 4 : 5);
    return true;
  }

  #string(): boolean {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    for (;;) {
      while ((bytesAre[bytes[at]!]! & PLAIN) !== 0) at++;
      const byte = bytes[at]!;
      if (byte === 0x22) {
        this.#at = at + 1;
        return true;
      }
      const after = byte === 0x5c ? afterEscape(bytes, at) : byte >= 0x80 ? afterCharacter(bytes, at) : 0;
      if (after === 0) {
        this.#at = at;
        return false;
      }
      at = after;
    }
  }

  #number(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    if (bytes[at] === 0x2d) at++;
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
    if (isNumber) this.#at = at;
    return isNumber;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#nesting.length * 2);
    larger.set(this.#nesting);
    this.#nesting = larger;
  }
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
