import { readAt } from '../content.ts';
import type { InputFile } from '../storage.ts';
import { createCutter } from './cutter.ts';
import { Delimiter, LINE_FEED } from './delimiter.ts';
import { textFormOf } from './encoding.ts';
import type { FramingSettings } from './settings.ts';

const BLOCK_BYTES = 64 * 1024;
const MARK_BYTES = 4;

/** Where to begin in a file. */
export interface Beginning {
  readonly offset: number;
  /** Nothing of the record at the offset is read. */
  readonly isSkipping?: boolean;
}

/** Where records begin in files, found without reading them: for positions that no reading led to. */
export interface Boundaries {
  /** Can the next record be found without the beginning of the one before it? */
  readonly canSkip: boolean;
  begins(file: InputFile, offset: number): Promise<boolean>;
  /** Where the record begins that the byte at `offset` is of. */
  before(file: InputFile, offset: number): Promise<number>;
  /** Behind the last whole record of the file, so that the one which is being written is read whole. */
  last(file: InputFile, size: number): Promise<Beginning>;
}

export function createBoundaries(settings: FramingSettings): Boundaries {
  if (settings.framing === 'file') return wholeFiles;
  return settings.framing === 'length' ? new CountedBoundaries(settings) : new DelimitedBoundaries(settings);
}

const wholeFiles: Boundaries = {
  canSkip: false,
  begins: (_file, offset) => Promise.resolve(offset === 0),
  before: () => Promise.resolve(0),
  last: (_file, size) => Promise.resolve({ offset: size, isSkipping: true }),
};

class DelimitedBoundaries implements Boundaries {
  readonly canSkip = true;
  readonly #settings: FramingSettings;

  constructor(settings: FramingSettings) {
    this.#settings = settings;
  }

  async begins(file: InputFile, offset: number): Promise<boolean> {
    if (offset === 0) return true;
    const end = await this.#delimiterIn(file);
    const from = offset - end.width;
    return from >= 0 && end.behindLast(await readAt(file, from, offset), end.width, from) === end.width;
  }

  async before(file: InputFile, offset: number): Promise<number> {
    const delimiter = await this.#delimiterIn(file);
    for (let end = offset; end > 0;) {
      const from = Math.max(0, end - BLOCK_BYTES);
      const behind = delimiter.behindLast(await readAt(file, from, end), end - from, from);
      if (behind > 0) return from + behind;
      // A unit of two bytes may lie across.
      end = from === 0 ? 0 : from + delimiter.width - 1;
    }
    return 0;
  }

  /** Far from a delimiter it is behind the next one. */
  async last(file: InputFile, size: number): Promise<Beginning> {
    const delimiter = await this.#delimiterIn(file);
    const from = Math.max(0, size - BLOCK_BYTES);
    const behind = delimiter.behindLast(await readAt(file, from, size), size - from, from);
    return behind === 0 && from > 0
      ? { offset: delimiter.aligned(size, 0), isSkipping: true }
      : { offset: from + behind };
  }

  async #delimiterIn(file: InputFile): Promise<Delimiter> {
    const form = textFormOf(this.#settings.encoding, await readAt(file, 0, MARK_BYTES));
    return new Delimiter(this.#settings.framing === 'nul' ? 0 : LINE_FEED, form);
  }
}

/** Goes from length to length: nothing else tells where a record begins. */
class CountedBoundaries implements Boundaries {
  readonly canSkip = false;
  readonly #settings: FramingSettings;

  constructor(settings: FramingSettings) {
    this.#settings = settings;
  }

  async begins(file: InputFile, offset: number): Promise<boolean> {
    return (await this.before(file, offset)) === offset;
  }

  async before(file: InputFile, offset: number): Promise<number> {
    const cutter = createCutter(this.#settings, textFormOf('raw', Buffer.alloc(0)));
    const prefix = this.#settings.lengthBytes;
    let at = 0;
    for (;;) {
      const bytes = await readAt(file, at, Math.min(at + BLOCK_BYTES, offset + prefix));
      const from = at;
      for (;;) {
        const isWhole = cutter.find({ bytes, from, end: bytes.length }, at - from);
        if (cutter.next < 0 || from + cutter.next > offset) break;
        at = from + cutter.next;
        if (!isWhole) break;
      }
      if (at === from) return at;
    }
  }

  async last(file: InputFile, size: number): Promise<Beginning> {
    return { offset: await this.before(file, size) };
  }
}
