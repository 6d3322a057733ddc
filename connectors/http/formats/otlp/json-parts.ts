import { SluiceError } from 'sluice/api';
import { JsonCursor, type JsonKind } from 'sluice/codec';
import type { Part } from './otlp-values.ts';

/** Finds members of JSON objects by name: where their values lie in the text that was read last. Used again for all objects of a kind. */
export class JsonParts {
  /** By the order of the names. */
  readonly parts: readonly Part[];
  readonly #cursor = new JsonCursor();
  readonly #what: string;
  readonly #names: readonly Buffer[];

  /** `what` the objects are, for messages. */
  constructor(what: string, names: readonly string[]) {
    this.#what = what;
    this.#names = names.map((name) => Buffer.from(name));
    this.parts = names.map(() => ({ from: 0, to: 0 }));
  }

  /** Reads the value in `bytes[from, to)`, which was checked; none at all is like null. Members that are null are not there. Throws `DECODE_INVALID` when it is neither an object nor null. */
  read(bytes: Buffer, { from, to }: Part): void {
    for (const part of this.parts) part.from = part.to = 0;
    if (to === 0) return;
    const cursor = this.#cursor;
    cursor.open(bytes, from, to);
    const kind = cursor.kind();
    if (kind === 'null') return;
    expectKind(this.#what, kind, 'object');
    cursor.enter();
    while (cursor.member()) {
      const part = this.#partOf(cursor);
      const isNull = cursor.kind() === 'null';
      const start = cursor.at;
      cursor.skip();
      if (part === undefined || isNull) continue;
      part.from = start;
      part.to = cursor.at;
    }
  }

  /** Was there one? Its kind is then checked. */
  has(index: number, expected: JsonKind): boolean {
    const { from, to } = this.parts[index]!;
    if (to === 0) return false;
    const cursor = this.#cursor;
    cursor.open(cursor.bytes, from, to);
    const kind = cursor.kind();
    if (kind !== expected) expectKind(this.#names[index]!.toString(), kind, expected);
    return true;
  }

  #partOf(cursor: JsonCursor): Part | undefined {
    const names = this.#names;
    for (let index = 0; index < names.length; index++) if (cursor.is(names[index]!)) return this.parts[index];
    return undefined;
  }
}

/** The elements of a JSON array, one after the other, without a function for each. */
export class JsonElements {
  readonly #cursor = new JsonCursor();
  /** Where the element begins that `next` ended. */
  from = 0;

  /** Where the first one may begin, for `next`. */
  open(bytes: Buffer, { from, to }: Part): number {
    this.#cursor.open(bytes, from, to);
    this.#cursor.enter();
    return this.#cursor.at;
  }

  /** Where the next element behind `at` ends; -1 when there is none. */
  next(bytes: Buffer, at: number, to: number): number {
    const cursor = this.#cursor;
    cursor.open(bytes, at, to);
    if (!cursor.element()) return -1;
    this.from = cursor.at;
    cursor.skip();
    return cursor.at;
  }
}

export function expectKind(what: string, found: JsonKind, expected: JsonKind): void {
  if (found === expected) return;
  throw new SluiceError('DECODE_INVALID', `${what}: expected ${named(expected)}, found ${named(found)}`);
}

function named(kind: JsonKind): string {
  return kind === 'null' ? kind : kind === 'object' || kind === 'array' ? `an ${kind}` : `a ${kind}`;
}
