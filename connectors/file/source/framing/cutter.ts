import { CARRIAGE_RETURN, Delimiter, LINE_FEED } from './delimiter.ts';
import type { TailedFile } from '../tailed-file.ts';
import type { TextForm } from './encoding.ts';
import type { FramingSettings } from './settings.ts';

/** Bytes of a file, and where they stand in it. */
export interface FileBytes {
  readonly bytes: Buffer;
  readonly from: number;
  readonly end: number;
}

/** Finds where records end. What it found is in its fields, so that a record needs no object. */
export interface Cutter {
  /** The value is [start, stop). */
  start: number;
  stop: number;
  /** Where the next record begins, perhaps behind the bytes; -1 when that is not known. */
  next: number;
  /** Bytes that may stand beside the value of an unfinished record. */
  readonly overhead: number;
  /** True when the record at `at` is whole. Otherwise the fields say what is known of it. */
  find(file: FileBytes, at: number): boolean;
  /** Where the next record begins when `at` is within one; -1 for not within these bytes. */
  findNext(file: FileBytes, at: number): number;
  /** Up to where nothing can be the beginning of the next record, when there is none in these bytes. */
  lastUnit(file: FileBytes): number;
  /** Does what is at the end of a file, which was read to it, count as finished? */
  isLeft(file: TailedFile): boolean;
  /** Is that a record, or a part of one? */
  readonly takesRest: boolean;
}

export function createCutter(settings: FramingSettings, form: TextForm): Cutter {
  switch (settings.framing) {
    case 'lines':
      return new DelimitedCutter(
        new Delimiter(LINE_FEED, form),
        settings.keepsCarriageReturn ? null : new Delimiter(CARRIAGE_RETURN, form),
      );
    case 'nul':
      return new DelimitedCutter(new Delimiter(0, form), null);
    case 'length':
      return new LengthCutter(settings.lengthBytes, settings.byteOrder);
    case 'file':
      return new WholeCutter();
  }
}

class DelimitedCutter implements Cutter {
  start = 0;
  stop = 0;
  next = -1;
  readonly overhead: number;
  readonly takesRest = true;
  readonly #end: Delimiter;
  /** Goes with the delimiter behind it. */
  readonly #before: Delimiter | null;

  constructor(end: Delimiter, before: Delimiter | null) {
    this.#end = end;
    this.#before = before;
    this.overhead = before === null ? 0 : before.width;
  }

  find({ bytes, from, end }: FileBytes, at: number): boolean {
    const { width } = this.#end;
    const found = this.#end.find(bytes, at, end, from);
    this.start = at;
    this.next = found < 0 ? -1 : found + width;
    this.stop = found < 0 ? end : found;
    if (found < 0) return false;
    if (found - at >= width && this.#before?.isAt(bytes, found - width) === true) this.stop -= width;
    return true;
  }

  findNext({ bytes, from, end }: FileBytes, at: number): number {
    const found = this.#end.find(bytes, at, end, from);
    return found < 0 ? -1 : found + this.#end.width;
  }

  lastUnit({ from, end }: FileBytes): number {
    return this.#end.aligned(end, from);
  }

  isLeft = isRotatedOrEnds;
}

class LengthCutter implements Cutter {
  start = 0;
  stop = 0;
  next = -1;
  readonly overhead: number;
  readonly takesRest = false;
  readonly #isBigEndian: boolean;

  constructor(lengthBytes: number, byteOrder: 'big' | 'little') {
    this.overhead = lengthBytes;
    this.#isBigEndian = byteOrder === 'big';
  }

  find({ bytes, end }: FileBytes, at: number): boolean {
    const size = this.overhead;
    this.start = Math.min(at + size, end);
    this.stop = end;
    this.next = -1;
    if (at + size > end) return false;
    const length = this.#isBigEndian ? bytes.readUIntBE(at, size) : bytes.readUIntLE(at, size);
    this.next = this.start + length;
    this.stop = Math.min(end, this.next);
    return this.next <= end;
  }

  /** Only the length before it says where a record ends. */
  findNext(): number {
    return -1;
  }

  lastUnit({ end }: FileBytes): number {
    return end;
  }

  isLeft = isRotatedOrEnds;
}

class WholeCutter implements Cutter {
  start = 0;
  stop = 0;
  readonly next = -1;
  readonly overhead = 0;
  readonly takesRest = true;

  find({ end }: FileBytes, at: number): boolean {
    this.start = at;
    this.stop = end;
    return false;
  }

  findNext(): number {
    return -1;
  }

  lastUnit({ end }: FileBytes): number {
    return end;
  }

  isLeft({ isQuiet, limit }: TailedFile): boolean {
    return isQuiet || limit < Infinity;
  }
}

function isRotatedOrEnds({ isFinal, limit }: TailedFile): boolean {
  return isFinal || limit < Infinity;
}
