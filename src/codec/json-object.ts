import { afterScalar, afterString, skipSpace } from './json-tokens.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const FIRST_ROOM = 64;
const NOTHING = Buffer.alloc(0);

/** What the value of a member is. `objects`: an array that holds objects or arrays. */
export type MemberKind = 'scalar' | 'array' | 'object' | 'objects';

const SCALAR = 0;
const ARRAY = 1;
const OBJECT = 2;
const OBJECTS = 3;
const KINDS: readonly MemberKind[] = ['scalar', 'array', 'object', 'objects'];

/**
 * Checks that bytes are one JSON object (RFC 8259, in valid UTF-8) and says where its members lie, in one pass and without building anything: what it found counts
 * until the next `read`. Names may come twice.
 */
export class JsonObject {
  /** Members of the object that was read last. */
  count = 0;
  /** Some member holds an object, or an array with objects or arrays in it. */
  hasNested = false;
  /** Some member's name has an escape in it: `isNamed` does not know it. */
  hasEscapedName = false;
  /** Where its opening brace is. */
  open = 0;
  readonly #maxDepth: number;
  readonly #closers: Uint8Array;
  #bytes: Buffer = NOTHING;
  #words: DataView = new DataView(NOTHING.buffer);
  /** Of each member: behind the quote of its name, at the closing quote, at its value, behind it. */
  #places = new Int32Array(4 * FIRST_ROOM);
  #kinds = new Uint8Array(FIRST_ROOM);
  #isDeep = false;

  constructor({ maxDepth }: { readonly maxDepth: number }) {
    this.#maxDepth = maxDepth;
    this.#closers = new Uint8Array(maxDepth);
  }

  /**
   * Reads `bytes[start, end)`. `bytes[end]` must be there and be no part of a number: a line feed, say. Returns -1, or where the fault is, counted from
   * `start`.
   */
  read(bytes: Buffer, start: number, end: number): number {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const words = this.#words;
    this.count = 0;
    this.hasNested = this.hasEscapedName = false;
    let at = skipSpace(bytes, start, end);
    this.open = at;
    if (at >= end || bytes[at] !== OPEN_BRACE) return at - start;
    at = skipSpace(bytes, at + 1, end);
    if (bytes[at] === CLOSE_BRACE && at < end) return this.#closed(bytes, { start, at: at + 1, end });
    for (;;) {
      if (bytes[at] !== QUOTE) return at - start;
      const nameStart = at + 1;
      at = afterString(bytes, words, nameStart, end, false);
      if (at < 0) {
        at = afterString(bytes, words, nameStart, end);
        if (at < 0) return ~at - start;
        this.hasEscapedName = true;
      }
      const nameEnd = at - 1;
      at = skipSpace(bytes, at, end);
      if (bytes[at] !== COLON) return at - start;
      at = skipSpace(bytes, at + 1, end);
      const valueStart = at;
      const byte = bytes[at]!;
      let kind = SCALAR;
      if (byte === QUOTE) at = afterString(bytes, words, at + 1, end);
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        at = this.#afterNested(bytes, at, end);
        kind = byte === OPEN_BRACE ? OBJECT : this.#isDeep ? OBJECTS : ARRAY;
        if (kind !== ARRAY) this.hasNested = true;
      } else at = afterScalar(bytes, at, byte);
      if (at < 0) return ~at - start;
      this.#add(kind, nameStart, nameEnd, valueStart, at);
      at = skipSpace(bytes, at, end);
      if (bytes[at] === CLOSE_BRACE && at < end) return this.#closed(bytes, { start, at: at + 1, end });
      if (bytes[at] !== COMMA) return Math.min(at, end) - start;
      at = skipSpace(bytes, at + 1, end);
    }
  }

  kind(member: number): MemberKind {
    return KINDS[this.#kinds[member]!]!;
  }

  /** Between the quotes. */
  nameStart(member: number): number {
    return this.#places[4 * member]!;
  }

  nameEnd(member: number): number {
    return this.#places[4 * member + 1]!;
  }

  valueStart(member: number): number {
    return this.#places[4 * member + 2]!;
  }

  valueEnd(member: number): number {
    return this.#places[4 * member + 3]!;
  }

  /** As text, without escapes. */
  name(member: number): string {
    const [start, end] = [this.nameStart(member), this.nameEnd(member)];
    const text = this.#bytes.toString('utf8', start, end);
    return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
  }

  /** Is the name as it stands these bytes? One with an escape is none of them. */
  isNamed(member: number, name: Uint8Array): boolean {
    const [start, end] = [this.nameStart(member), this.nameEnd(member)];
    if (end - start !== name.length) return false;
    for (let index = 0; index < name.length; index++) if (this.#bytes[start + index] !== name[index]) return false;
    return true;
  }

  nameStartsWith(member: number, byte: number): boolean {
    return this.#bytes[this.nameStart(member)] === byte;
  }

  #closed(bytes: Buffer, { start, at, end }: { start: number; at: number; end: number }): number {
    const rest = skipSpace(bytes, at, end);
    return rest === end ? -1 : rest - start;
  }

  /** Past an array or an object; `#isDeep` tells whether there are others in it. */
  #afterNested(bytes: Buffer, start: number, end: number): number {
    const words = this.#words;
    const closers = this.#closers;
    this.#isDeep = false;
    let depth = 0;
    let at = start;
    let needsName = false;
    for (;;) {
      at = skipSpace(bytes, at, end);
      if (at >= end) return ~end;
      if (needsName) {
        if (bytes[at] !== QUOTE) return ~at;
        at = afterString(bytes, words, at + 1, end);
        if (at < 0) return at;
        at = skipSpace(bytes, at, end);
        if (bytes[at] !== COLON) return ~at;
        at = skipSpace(bytes, at + 1, end);
      }
      const byte = bytes[at]!;
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (depth > 0) this.#isDeep = true;
        if (depth + 1 >= this.#maxDepth) return ~at;
        closers[depth++] = byte + 2;
        at = skipSpace(bytes, at + 1, end);
        if (bytes[at] !== byte + 2) {
          needsName = byte === OPEN_BRACE;
          continue;
        }
      } else {
        at = byte === QUOTE ? afterString(bytes, words, at + 1, end) : afterScalar(bytes, at, byte);
        if (at < 0) return at;
      }
      for (;;) {
        at = skipSpace(bytes, at, end);
        const next = bytes[at]!;
        if (next === COMMA && depth > 0) break;
        if (at >= end || next !== closers[depth - 1]) return ~at;
        at++;
        if (--depth === 0) return at;
      }
      at++;
      needsName = closers[depth - 1] !== CLOSE_BRACKET;
    }
  }

  #add(kind: number, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const member = this.count++;
    if (member === this.#kinds.length) this.#grow();
    this.#kinds[member] = kind;
    const at = 4 * member;
    this.#places[at] = nameStart;
    this.#places[at + 1] = nameEnd;
    this.#places[at + 2] = valueStart;
    this.#places[at + 3] = valueEnd;
  }

  #grow(): void {
    const [places, kinds] = [this.#places, this.#kinds];
    this.#places = new Int32Array(2 * places.length);
    this.#places.set(places);
    this.#kinds = new Uint8Array(2 * kinds.length);
    this.#kinds.set(kinds);
  }
}
