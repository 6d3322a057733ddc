import type { JsonWriter } from './json-writer.ts';
import { VectorWindow } from './vector-window.ts';
import { sharedVectors, type Vectors } from './vectors.ts';

/** Of `,"name":`. */
const MOST_NAME_BYTES = 32;

/**
 * Writes lines that begin with words, such as headers of logs, as members of an object. It takes only lines that are as usual, and leaves the others to its caller: those with fewer words, and those that are
 * not UTF-8.
 */
export class WordMembers {
  readonly #names: Buffer;
  readonly #window: VectorWindow | null;
  #opened: Buffer | null = null;

  /** The names of the words, null for one that must be `-`, which is how a word is absent; `rest` is the name of what comes behind them. */
  constructor(names: readonly (string | null)[], rest: string, vectors: Vectors | null = sharedVectors()) {
    const members = [...names, rest].map((name) => Buffer.from(name === null ? '' : `,${JSON.stringify(name)}:`));
    this.#names = Buffer.concat([
      Buffer.of(names.length),
      ...members.flatMap((each) => [Buffer.of(each.length), each]),
    ]);
    const isTaken = members.every(({ length }) => length <= MOST_NAME_BYTES);
    this.#window =
      vectors === null || !isTaken || this.#names.length > vectors.namesBytes ? null : new VectorWindow(vectors);
  }

  /** These bytes do not change until others are opened. */
  open(bytes: Buffer): void {
    this.#opened = bytes;
    this.#window?.open(bytes, bytes.length);
  }

  /**
   * Appends the members that `bytes[at, end)` holds, a comma before the first one, and the closing brace. Returns where the first word ends; -1, and nothing appended, when that is
   * left to the caller, as is all of what was not opened.
   */
  write(bytes: Buffer, at: number, end: number, json: JsonWriter): number {
    const window = this.#window;
    if (window === null || bytes !== this.#opened) return -1;
    const { vectors } = window;
    window.reach(at);
    if (end > window.to && (!window.moveOn(at) || end > window.to)) return -1;
    const written = vectors.writeWords(at - window.from, end - window.from, this.#names);
    if (written < 0) return -1;
    json.slice(vectors.bytes, vectors.output, written);
    return window.from + vectors.readUpTo;
  }
}
