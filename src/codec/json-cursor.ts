import { skipSpace } from './json-tokens.ts';

export type JsonKind = 'object' | 'array' | 'text' | 'number' | 'boolean' | 'null';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const NOT_ASCII = 0x80;

/** Reads JSON text that was checked before (`JsonScanner`) value by value, without building more than is asked for. It never recurses. */
export class JsonCursor {
  /** Where the next value begins, white space before it allowed. */
  at = 0;
  /** Of the name, text or scalar that was read last: it lies in `bytes[from, to)`, without quotes, escapes as they were written. */
  from = 0;
  to = 0;
  bytes: Buffer = Buffer.alloc(0);
  #end = 0;

  /** From now on it reads `bytes[at, end)`, a whole value that is valid. */
  open(bytes: Buffer, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  /** Of the next value. */
  kind(): JsonKind {
    this.at = skipSpace(this.bytes, this.at, this.#end);
    switch (this.bytes[this.at]) {
      case OPEN_BRACE:
        return 'object';
      case OPEN_BRACKET:
        return 'array';
      case QUOTE:
        return 'text';
      case 0x74: // t
      case 0x66: // f
        return 'boolean';
      case 0x6e: // n
        return 'null';
      default:
        return 'number';
    }
  }

  /** Into the object or array that comes next. */
  enter(): void {
    this.at = skipSpace(this.bytes, this.at, this.#end) + 1;
  }

  /** To the next member of the object that was entered: its name lies in `bytes[from, to)`, its value comes next. False at its end, which is passed. */
  member(): boolean {
    if (!this.#next(CLOSE_BRACE)) return false;
    this.#text();
    this.at = skipSpace(this.bytes, this.at, this.#end) + 1;
    return true;
  }

  /** To the next element of the array that was entered. False at its end, which is passed. */
  element(): boolean {
    return this.#next(CLOSE_BRACKET);
  }

  /** A text, number, boolean or null. */
  scalar(): void {
    this.at = skipSpace(this.bytes, this.at, this.#end);
    if (this.bytes[this.at] === QUOTE) this.#text();
    else {
      this.from = this.at;
      this.at = this.to = this.#afterWord(this.at);
    }
  }

  /** Past the next value, whatever it is. */
  skip(): void {
    let depth = 0;
    do {
      this.at = skipSpace(this.bytes, this.at, this.#end);
      const byte = this.bytes[this.at];
      if (byte === QUOTE) this.#text();
      else if (byte === COMMA || byte === COLON) this.at++;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        depth++;
        this.at++;
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        depth--;
        this.at++;
      } else this.at = this.#afterWord(this.at);
    } while (depth > 0 && this.at < this.#end);
  }

  /** What was read last, its escapes resolved when it was a name or a text. */
  get string(): string {
    const { bytes, from, to } = this;
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      if (byte === BACKSLASH) return JSON.parse(bytes.toString('utf8', from - 1, to + 1)) as string;
      if (byte >= NOT_ASCII) return this.#beyondAscii();
    }
    return bytes.toString('latin1', from, to);
  }

  /** Was what was read last written like this? What is written with escapes is not looked for. */
  is(name: Buffer): boolean {
    const { bytes, from } = this;
    if (this.to - from !== name.length) return false;
    for (let at = 0; at < name.length; at++) if (bytes[from + at] !== name[at]) return false;
    return true;
  }

  #beyondAscii(): string {
    const text = this.bytes.toString('utf8', this.from, this.to);
    return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
  }

  #next(close: number): boolean {
    let at = skipSpace(this.bytes, this.at, this.#end);
    if (this.bytes[at] === COMMA) at = skipSpace(this.bytes, at + 1, this.#end);
    if (this.bytes[at] !== close && at < this.#end) {
      this.at = at;
      return true;
    }
    this.at = at + 1;
    return false;
  }

  #text(): void {
    const { bytes } = this;
    const from = this.at + 1;
    let at = from;
    while (at < this.#end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    this.from = from;
    this.to = at;
    this.at = at + 1;
  }

  #afterWord(at: number): number {
    for (; at < this.#end; at++) {
      const byte = this.bytes[at]!;
      if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte <= 0x20) break;
    }
    return at;
  }
}
