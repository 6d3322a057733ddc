import { afterScalar, afterString } from './json-tokens.ts';
import { sharedVectors, type Vectors } from './vectors.ts';

const OBJECT = 1;
const ARRAY = 2;

/**
 * Checks that bytes are one JSON text (RFC 8259, in valid UTF-8) and makes it one line: line feeds, which may stand between
 * its tokens only, become spaces. No object per record: nothing is decoded. Of a sink's work this is the largest part: positions stay in local variables, and
 * strings are looked at four bytes at a time.
 */
export class JsonLine {
  readonly #vectors: Vectors | null;
  #bytes: Uint8Array = new Uint8Array(0);
  #words = new DataView(this.#bytes.buffer);
  #nesting = new Uint8Array(256);

  constructor(vectors: Vectors | null = sharedVectors()) {
    this.#vectors = vectors;
  }

  /**
   * Checks `bytes[start, end)`. `bytes[end]` must be there and be a line feed: no token goes past it. Returns -1, or where the fault is,
   * counted from `start`.
   */
  check(bytes: Buffer, start: number, end: number): number {
    return this.#vectors?.isJsonLine(bytes, start, end) === true ? -1 : this.#walk(bytes, start, end);
  }

  #walk(bytes: Buffer, start: number, end: number): number {
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
        at = afterString(bytes, words, at + 1, end);
        if (at < 0) return ~at - start;
        at = afterSpace(bytes, at, end);
        if (bytes[at] !== 0x3a) return at - start;
        at = afterSpace(bytes, at + 1, end);
      }
      const byte = bytes[at]!;
      if (byte === 0x22) at = afterString(bytes, words, at + 1, end);
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

function afterSpace(bytes: Uint8Array, at: number, end: number): number {
  for (; bytes[at]! <= 0x20 && at < end; at++) {
    const byte = bytes[at]!;
    if (byte === 0x0a || byte === 0x0d) bytes[at] = 0x20;
    else if (byte !== 0x20 && byte !== 0x09) break;
  }
  return at;
}
