import type { InvalidText } from './limits.ts';

const FIRST_BYTES = 64 * 1024;
/** By byte: 0 for what stands for itself in a JSON string, 1 for what takes six characters, else the letter behind a backslash. */
const ESCAPES = Uint8Array.from({ length: 128 }, (_, byte) => (byte < 0x20 ? 1 : 0));
for (const [byte, letter] of ['"', '\\\\', '\bb', '\ff', '\nn', '\rr', '\tt'].map(
  (pair) => [pair.charCodeAt(0), pair.charCodeAt(pair.length - 1)] as const,
))
  ESCAPES[byte] = letter;
/** Below so many bytes a loop is quicker than a call. */
const SMALL_COPY_BYTES = 48;
const HEX = Buffer.from('0123456789abcdef');

/** Writes JSON into a buffer that grows and is used again: bytes from bytes, no strings in between. */
export class JsonWriter {
  /** What was written lies in `bytes[0, end)`. Another buffer once more room was needed. */
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  end = 0;
  readonly #invalidText: InvalidText;
  /** Views of the last source, and of `bytes`. */
  #source: Buffer = this.bytes;
  #from = viewOf(this.bytes);
  #target: Buffer = this.bytes;
  #into = this.#from;

  constructor(invalidText: InvalidText) {
    this.#invalidText = invalidText;
  }

  /** Forgets what was written, and lets go of a buffer that has become large. */
  reset(): void {
    this.end = 0;
    if (this.bytes.length > 16 * FIRST_BYTES) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  /** Appends bytes that are JSON already. */
  raw(json: Uint8Array): void {
    this.room(json.length);
    if (json.length > SMALL_COPY_BYTES) this.bytes.set(json, this.end);
    else for (let at = 0; at < json.length; at++) this.bytes[this.end + at] = json[at]!;
    this.end += json.length;
  }

  /** Appends `source[start, end)` as it is. */
  slice(source: Buffer, start: number, end: number): void {
    this.room(end - start);
    this.end += source.copy(this.bytes, this.end, start, end);
  }

  /** Appends text that is JSON already, in ASCII. What is known beforehand is quicker as bytes (`raw`). */
  ascii(text: string): void {
    this.room(text.length);
    this.end += this.bytes.write(text, this.end, 'latin1');
  }

  /** Appends a JSON string of these bytes. */
  text(source: Buffer, start: number, end: number): void {
    this.room(6 * (end - start) + 2);
    if (this.#utf8(source, start, end)) return;
    if (this.#invalidText === 'base64') {
      this.base64(source, start, end);
      return;
    }
    // Node replaces as the Unicode standard advises: one U+FFFD for each longest beginning of a character.
    const replaced = Buffer.from(source.toString('utf8', start, end));
    this.room(6 * replaced.length + 2);
    this.#utf8(replaced, 0, replaced.length);
  }

  /** False, and nothing written, when they are not UTF-8. Four bytes at a time as long as they stand for themselves. */
  #utf8(source: Buffer, start: number, end: number): boolean {
    if (source !== this.#source) {
      this.#source = source;
      this.#from = viewOf(source);
    }
    if (this.bytes !== this.#target) {
      this.#target = this.bytes;
      this.#into = viewOf(this.bytes);
    }
    const out = this.bytes;
    const [from, into] = [this.#from, this.#into];
    let to = this.end;
    out[to++] = 0x22;
    let at = start;
    while (at < end) {
      for (; at + 4 <= end; at += 4, to += 4) {
        const word = from.getInt32(at);
        if (isSpecial(word)) break;
        into.setInt32(to, word);
      }
      for (const last = Math.min(end, at + 4); at < last;) {
        const byte = source[at]!;
        if (byte >= 0x80) {
          const length = characterBytes(source, at, end);
          if (length === 0) return false;
          for (const next = at + length; at < next; at++) out[to++] = source[at]!;
          continue;
        }
        at++;
        const escape = ESCAPES[byte]!;
        if (escape === 0) out[to++] = byte;
        else if (escape === 1) {
          to += out.write('\\u00', to, 'latin1');
          out[to++] = HEX[byte >> 4]!;
          out[to++] = HEX[byte & 15]!;
        } else {
          out[to++] = 0x5c;
          out[to++] = escape;
        }
      }
    }
    out[to++] = 0x22;
    this.end = to;
    return true;
  }

  /** Appends a whole number from 0 to 2^32 − 1; ten bytes must be left. */
  digits(value: number): void {
    let length = 1;
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) length++;
    let at = (this.end += length);
    do {
      const rest = (value / 10) | 0;
      this.bytes[--at] = 0x30 + value - 10 * rest;
      value = rest;
    } while (--length > 0);
  }

  /** Appends a JSON string of these bytes in base64. */
  base64(source: Buffer, start: number, end: number): void {
    this.room(2 * (end - start) + 8);
    this.bytes[this.end++] = 0x22;
    this.end += this.bytes.write(source.toString('base64', start, end), this.end, 'latin1');
    this.bytes[this.end++] = 0x22;
  }

  /** So many bytes can be written behind `end` after it. */
  room(bytes: number): void {
    if (this.end + bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.end + bytes));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Is one of four bytes a control character, a quote, a backslash, or no ASCII? Says yes to a few more, never no to one of these. */
function isSpecial(word: number): boolean {
  const quotes = word ^ 0x22222222;
  const backslashes = word ^ 0x5c5c5c5c;
  const found = (word - 0x20202020) | (quotes - 0x01010101) | (backslashes - 0x01010101) | word;
  return (found & 0x80808080) !== 0;
}

/** Of the UTF-8 character at `at`, which is no ASCII; 0 when there is none (RFC 3629, section 4). */
function characterBytes(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > end) return 0;
  const second = bytes[at + 1]!;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let index = 2; index < length; index++) if ((bytes[at + index]! & 0xc0) !== 0x80) return 0;
  return length;
}
