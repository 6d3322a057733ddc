import { JsonScanner } from './json-scanner.ts';
import { skipSpace } from './json-tokens.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Walks JSON that is right already: nothing is built, nothing copied. */
export class JsonMembers {
  readonly #scanner: JsonScanner;

  constructor({ maxDepth }: { maxDepth: number }) {
    this.#scanner = new JsonScanner({ maxDepth, maxKeys: NO_LIMIT });
  }

  /** The position after the value that begins at `at`; -1 when it is not JSON or nested too deep. */
  skip(bytes: Buffer, at: number, end: number): number {
    return this.#scanner.skipValue(bytes, at, end);
  }

  /** Where the value of the member `name` begins, of the object that begins at `at`; -1 when there is none. */
  find(bytes: Buffer, at: number, end: number, name: Buffer): number {
    at = skipSpace(bytes, at + 1, end);
    while (bytes[at] === QUOTE) {
      const nameStart = at + 1;
      at = this.skip(bytes, at, end);
      if (at < 0) return -1;
      const isFound = isName(bytes, nameStart, at - 1, name);
      at = skipSpace(bytes, at, end);
      if (bytes[at] !== COLON) return -1;
      at = skipSpace(bytes, at + 1, end);
      if (isFound) return at;
      at = this.skip(bytes, at, end);
      if (at < 0) return -1;
      at = skipSpace(bytes, at, end);
      if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1, end);
    }
    return -1;
  }
}

function isName(bytes: Buffer, start: number, end: number, name: Buffer): boolean {
  if (bytes.compare(name, 0, name.length, start, end) === 0) return true;
  // Escapes are rare in names, and may hide any name.
  let at = start;
  while (at < end && bytes[at] !== BACKSLASH) at++;
  if (at === end) return false;
  return JSON.parse(bytes.toString('utf8', start - 1, end + 1)) === name.toString();
}
