import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** What became of numbered records. */
export interface LedgerCount {
  /** Lines read. */
  readonly rows: number;
  /** Expected numbers that are in no line. */
  readonly lost: number;
  /** Lines whose number was in a line before. */
  readonly duplicated: number;
  /** Lines of a stream with a number lower than the one before it. */
  readonly reordered: number;
  /** Lines without a number of this run: torn, foreign, or changed on the way. */
  readonly strange: number;
}

export interface LedgerOptions {
  /** Numbers 0 to `expected` − 1 were sent. */
  readonly expected: number;
  /** The number of a record; null when the line is none. Default: the digits behind `"n":` of a JSON object. */
  readonly numberOf?: (line: Buffer) => number | null;
  /** In one stream numbers must rise. Default: no order is asked for. */
  readonly streamOf?: (number: number) => number;
}

/** Counts records that were numbered by whoever sent them, wherever they arrive. */
export class Ledger {
  readonly #seen: Uint8Array;
  readonly #numberOf: (line: Buffer) => number | null;
  readonly #streamOf: ((number: number) => number) | undefined;
  readonly #last = new Map<number, number>();
  #rows = 0;
  #distinct = 0;
  #duplicated = 0;
  #reordered = 0;
  #strange = 0;

  constructor({ expected, numberOf = numberOfJson, streamOf }: LedgerOptions) {
    this.#seen = new Uint8Array(expected);
    this.#numberOf = numberOf;
    this.#streamOf = streamOf;
  }

  add(line: Buffer): void {
    this.#rows++;
    const number = this.#numberOf(line);
    if (number === null || number >= this.#seen.length) {
      this.#strange++;
      return;
    }
    if (this.#seen[number] === 1) this.#duplicated++;
    else {
      this.#seen[number] = 1;
      this.#distinct++;
    }
    if (this.#streamOf === undefined) return;
    const stream = this.#streamOf(number);
    if (number < (this.#last.get(stream) ?? -1)) this.#reordered++;
    this.#last.set(stream, number);
  }

  /** Adds all lines of all published files below `folder`, in the order of their names. */
  async addFolder(folder: string): Promise<void> {
    for (const file of await publishedFiles(folder)) await this.addFile(file);
  }

  /** What follows the last line feed counts as a line of its own: in a published file there is nothing. */
  async addFile(file: string): Promise<void> {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
        this.add(bytes.subarray(start, end));
        start = end + 1;
      }
      rest = bytes.subarray(start);
    }
    if (rest.length > 0) this.add(rest);
  }

  count(): LedgerCount {
    return {
      rows: this.#rows,
      lost: this.#seen.length - this.#distinct,
      duplicated: this.#duplicated,
      reordered: this.#reordered,
      strange: this.#strange,
    };
  }

  /** The first numbers that are missing, for the message of a test. */
  missing(limit = 10): number[] {
    const missing: number[] = [];
    for (let number = this.#seen.indexOf(0); number >= 0 && missing.length < limit;) {
      missing.push(number);
      number = this.#seen.indexOf(0, number + 1);
    }
    return missing;
  }
}

/** Files below `folder` that readers see: neither they nor a folder above them are hidden. Sorted by name. */
export async function publishedFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !relative(folder, path)
          .split(sep)
          .some((part) => part.startsWith('.')),
    )
    .sort();
}

const mark = Buffer.from('"n":');

function numberOfJson(line: Buffer): number | null {
  const at = line.indexOf(mark);
  if (at < 0 || line[0] !== 0x7b || line.at(-1) !== 0x7d) return null;
  let number = 0;
  let index = at + mark.length;
  for (; ; index++) {
    const digit = (line[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    number = number * 10 + digit;
  }
  return index === at + mark.length ? null : number;
}
