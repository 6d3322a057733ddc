import { skipSpace } from './json-tokens.ts';
import { JsonWalk } from './json-walk.ts';
import type { CodecFault, CodecLimits } from './limits.ts';
import { VectorWindow } from './vector-window.ts';
import { sharedVectors, type Vectors } from './vectors.ts';

/** What may come next. */
const VALUE = 0;
const FIRST_KEY = 1;
const KEY = 2;
const FIRST_ELEMENT = 3;
const AFTER = 4;

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const literals = new Map(['true', 'false', 'null'].map((text) => [text.charCodeAt(0), Buffer.from(text)]));

/** 1 for what stands for itself within a string. */
const isPlain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/**
 * Walks JSON texts (RFC 8259) without building anything: the check that lets raw bytes through unchanged. It never recurses, so that depth costs
 * neither stack nor time beyond the limit. Duplicate names, lone surrogates in escapes and numbers of any size are valid JSON and pass.
 */
export class JsonScanner {
  /** Of the last `skipValue` that returned -1. */
  fault: CodecFault | null = null;
  readonly #limits: CodecLimits;
  readonly #quick: JsonWalk;
  readonly #window: VectorWindow | null;
  /** Of which the window is a part. */
  #opened: Buffer | null = null;
  /** The closing byte of every open array and object. */
  readonly #closers: Uint8Array;
  #names: Set<string> | null = null;
  #nameCount = 0;

  constructor(limits: CodecLimits, vectors: Vectors | null = sharedVectors()) {
    this.#limits = limits;
    this.#window = vectors === null ? null : new VectorWindow(vectors);
    this.#quick = new JsonWalk(limits, null);
    this.#closers = new Uint8Array(limits.maxDepth);
  }

  /** These bytes do not change until others are opened, or `forget`: values in them are walked faster. */
  open(bytes: Buffer): void {
    this.#opened = bytes;
    this.#window?.open(bytes, bytes.length);
  }

  /**
   * The position after the one value that begins at `at`, white space before it allowed; -1 when it is refused. The bytes are UTF-8 already.
   * `outerDepth` counts the arrays and objects around the value.
   */
  skipValue(bytes: Buffer, at: number, end: number, outerDepth = 0): number {
    this.fault = null;
    const quick =
      bytes === this.#opened && this.#window !== null
        ? this.#walkByVectors(this.#window, at, end, outerDepth)
        : this.#quick.walk(bytes, at, end, outerDepth);
    if (quick >= 0) return quick;
    // Only what is refused, or has many members, pays for being told why, or for telling its names apart.
    this.#nameCount = 0;
    this.#names = null;
    const after = this.#walk(bytes, at, end, outerDepth);
    if (after < 0 || this.#nameCount <= this.#limits.maxKeys) return after;
    this.#names = new Set();
    return this.#walk(bytes, at, end, outerDepth);
  }

  /** Keeps hold of none of the bytes that it walked. */
  forget(): void {
    this.#quick.forget();
    this.#window?.forget();
    this.#opened = null;
  }

  /** -1 when it is left to others. */
  #walkByVectors(window: VectorWindow, at: number, end: number, outerDepth: number): number {
    window.reach(at);
    let after: number;
    do {
      const { from, to } = window;
      after = window.vectors.skipJson(at - from, Math.min(to, end) - from, outerDepth, this.#limits);
    } while (after < 0 && window.moveOn(at, end));
    return after < 0 ? -1 : window.from + after;
  }

  #walk(bytes: Buffer, at: number, end: number, outerDepth: number): number {
    const closers = this.#closers;
    let depth = outerDepth;
    let expected = VALUE;
    for (;;) {
      at = skipSpace(bytes, at, end);
      const byte = at < end ? bytes[at]! : -1;
      if (expected === AFTER) {
        if (byte === COMMA) {
          at++;
          expected = closers[depth - 1] === CLOSE_BRACE ? KEY : VALUE;
          continue;
        }
        if (byte !== closers[depth - 1]) return this.#unexpected(bytes, at, end, 'a comma or the end of its list');
        at++;
        depth--;
      } else if (expected === FIRST_KEY && byte === CLOSE_BRACE) {
        at++;
        depth--;
      } else if (expected === FIRST_ELEMENT && byte === CLOSE_BRACKET) {
        at++;
        depth--;
      } else if (expected === KEY || expected === FIRST_KEY) {
        at = this.#skipName(bytes, at, end);
        if (at < 0) return -1;
        expected = VALUE;
        continue;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (depth === closers.length) return this.#tooDeep(at);
        closers[depth++] = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
        at++;
        expected = byte === OPEN_BRACE ? FIRST_KEY : FIRST_ELEMENT;
        continue;
      } else {
        at = this.#skipScalar(bytes, at, end, byte);
        if (at < 0) return -1;
      }
      if (depth === outerDepth) return at;
      expected = AFTER;
    }
  }

  /** A member's name and the colon behind it. */
  #skipName(bytes: Buffer, at: number, end: number): number {
    if (at >= end || bytes[at] !== QUOTE) return this.#unexpected(bytes, at, end, 'a name in double quotes');
    const after = this.#skipString(bytes, at, end);
    if (after < 0) return -1;
    this.#nameCount++;
    if (this.#names !== null) {
      this.#names.add(bytes.toString('latin1', at + 1, after - 1));
      if (this.#names.size > this.#limits.maxKeys) return this.#tooManyNames(at);
    }
    const colonAt = skipSpace(bytes, after, end);
    if (colonAt >= end || bytes[colonAt] !== COLON) return this.#unexpected(bytes, colonAt, end, 'a colon');
    return colonAt + 1;
  }

  #skipScalar(bytes: Buffer, at: number, end: number, byte: number): number {
    if (byte === QUOTE) return this.#skipString(bytes, at, end);
    if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return this.#skipNumber(bytes, at, end);
    const literal = literals.get(byte);
    if (literal === undefined) return this.#unexpected(bytes, at, end, 'a value');
    for (let index = 1; index < literal.length; index++) {
      if (at + index >= end || bytes[at + index] !== literal[index]) {
        return this.#unexpected(bytes, at + index, end, `the rest of ${literal.toString()}`);
      }
    }
    return at + literal.length;
  }

  #skipString(bytes: Buffer, at: number, end: number): number {
    for (at = skipPlain(bytes, at + 1, end); at < end; at = skipPlain(bytes, at + 1, end)) {
      const byte = bytes[at]!;
      if (byte === QUOTE) return at + 1;
      if (byte !== BACKSLASH) return this.#unexpected(bytes, at, end, 'an escape instead of a control character');
      at = this.#skipEscape(bytes, at, end);
      if (at < 0) return -1;
    }
    return this.#unexpected(bytes, at, end, 'the closing quote of a string');
  }

  /** Returns the position of the escape's last byte. */
  #skipEscape(bytes: Buffer, at: number, end: number): number {
    const kind = at + 1 < end ? String.fromCharCode(bytes[at + 1]!) : '';
    if (kind !== '' && '"\\/bfnrt'.includes(kind)) return at + 1;
    if (kind !== 'u') return this.#unexpected(bytes, at + 1, end, 'one of "\\/bfnrtu after a backslash');
    for (let digit = at + 2; digit < at + 6; digit++) {
      if (digit >= end || !isHexDigit(bytes[digit]!)) return this.#unexpected(bytes, digit, end, 'four hex digits');
    }
    return at + 5;
  }

  #skipNumber(bytes: Buffer, at: number, end: number): number {
    if (bytes[at] === MINUS) at++;
    const first = at;
    at = skipDigits(bytes, at, end);
    if (at === first) return this.#unexpected(bytes, at, end, 'a digit');
    if (bytes[first] === ZERO && at > first + 1) return this.#unexpected(bytes, first, end, 'no zero before a number');
    if (at < end && bytes[at] === POINT) {
      const fraction = at + 1;
      at = skipDigits(bytes, fraction, end);
      if (at === fraction) return this.#unexpected(bytes, at, end, 'a digit');
    }
    // e and E
    if (at < end && (bytes[at]! | 0x20) === 0x65) {
      at++;
      if (at < end && (bytes[at] === 0x2b || bytes[at] === MINUS)) at++;
      const exponent = at;
      at = skipDigits(bytes, exponent, end);
      if (at === exponent) return this.#unexpected(bytes, at, end, 'a digit');
    }
    return at;
  }

  #unexpected(bytes: Buffer, at: number, end: number, wanted: string): -1 {
    const found = at < end ? shown(bytes[at]!) : 'the end';
    return this.#refuse('DECODE_INVALID', Math.min(at, end), `expected ${wanted}, found ${found}`);
  }

  #tooDeep(at: number): -1 {
    return this.#refuse('DECODE_DEPTH', at, `nested deeper than ${this.#limits.maxDepth} levels`);
  }

  #tooManyNames(at: number): -1 {
    return this.#refuse('DECODE_KEYS', at, `more than ${this.#limits.maxKeys} distinct keys`);
  }

  #refuse(code: CodecFault['code'], at: number, reason: string): -1 {
    this.fault = { code, at, reason };
    return -1;
  }
}

/** To the next byte that means something within a string, or hardly further than `end`. Behind the last byte 0 is read. */
function skipPlain(bytes: Buffer, at: number, end: number): number {
  for (; at < end; at += 4) {
    if (isPlain[bytes[at]!] === 0) return at;
    if (isPlain[bytes[at + 1]! | 0] === 0) return at + 1;
    if (isPlain[bytes[at + 2]! | 0] === 0) return at + 2;
    if (isPlain[bytes[at + 3]! | 0] === 0) return at + 3;
  }
  return at;
}

function skipDigits(bytes: Buffer, at: number, end: number): number {
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  return at;
}

function isHexDigit(byte: number): boolean {
  return (byte >= ZERO && byte <= NINE) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

function shown(byte: number): string {
  return byte > SPACE && byte < 0x7f
    ? JSON.stringify(String.fromCharCode(byte))
    : `byte 0x${byte.toString(16).padStart(2, '0')}`;
}
