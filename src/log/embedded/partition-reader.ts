import { join } from 'node:path';
import { BATCH_HEADER_BYTES, readBatchHeader } from '../../record/index.ts';
import type { FileSystem, LogFile } from './file-system.ts';
import { listIfThere } from './files.ts';
import { corruption, isMissing } from './log-errors.ts';
import { OFFSET_INDEX_SUFFIX, parseSegmentName, segmentName } from './paths.ts';
import type { SegmentFiles } from './segment-files.ts';
import { lookUpPosition } from './segment-index.ts';
import { headerAt, scanHeaders } from './segment-scan.ts';

/** Whole batches were read, or a larger buffer is needed for the first. */
export type ReadResult =
  { readonly from: number; readonly next: number; readonly length: number } | { readonly neededBytes: number };

interface Place {
  readonly base: number;
  /** In the file. */
  position: number;
  /** The offset of the batch at `position`. */
  offset: number;
}

/** Reads whole batches of one partition below an end that its caller knows. Follows from file to file, and over what retention took away. */
export class PartitionReader {
  readonly #fileSystem: FileSystem;
  readonly #files: SegmentFiles;
  readonly #folder: string;
  #bases: readonly number[] = [];
  #place: Place | null = null;
  /** Where the last read ended: the offset that `#place` stands for. */
  #next = -1;

  constructor(options: { readonly fileSystem: FileSystem; readonly files: SegmentFiles; readonly folder: string }) {
    this.#fileSystem = options.fileSystem;
    this.#files = options.files;
    this.#folder = options.folder;
  }

  /** The file that is read next, and where; null when that is not known yet. */
  get place(): { readonly base: number; readonly position: number } | null {
    return this.#place;
  }

  /**
   * Batches with the records from `from` on, all below `end`, which is above `from`, as many as `target` takes. Where the log begins only above `from` the result does
   * too. Throws `LOG_CORRUPT`.
   */
  async read(from: number, end: number, target: Buffer): Promise<ReadResult> {
    let wanted = from;
    if (this.#place === null || this.#next !== from) wanted = await this.#locate(from);
    if (wanted >= end) return { from: wanted, next: wanted, length: 0 };
    for (;;) {
      const place = this.#place!;
      const path = this.#path(place.base);
      const file = await this.#openOrNull(path);
      if (file === null) {
        wanted = await this.#locate(wanted);
        if (wanted >= end) return { from: wanted, next: wanted, length: 0 };
        continue;
      }
      const read = await file.read(target, 0, target.length, place.position);
      if (read > 0) return this.#take(target.subarray(0, read), { wanted, end, path });
      await this.#files.close(path);
      wanted = await this.#enterNextFile(wanted);
    }
  }

  #take(
    bytes: Buffer,
    { wanted, end, path }: { readonly wanted: number; readonly end: number; readonly path: string },
  ): ReadResult {
    const place = this.#place!;
    let at = 0;
    let offset = place.offset;
    let neededBytes = BATCH_HEADER_BYTES;
    while (offset < end && at + BATCH_HEADER_BYTES <= bytes.length) {
      const header = headerAt(bytes, at, path, place.position + at);
      if (header.baseOffset !== offset)
        throw corruption(`"${path}"`, `offset ${header.baseOffset} at byte ${place.position + at}, not ${offset}`);
      neededBytes = header.byteLength;
      if (at + neededBytes > bytes.length) break;
      at += neededBytes;
      offset += header.lastOffsetDelta + 1;
    }
    if (at === 0) return { neededBytes };
    place.position += at;
    place.offset = this.#next = offset;
    return { from: wanted, next: offset, length: at };
  }

  /** Finds the batch that holds `offset`, or the first one of the log when that is above. Returns the offset that was found. */
  async #locate(offset: number): Promise<number> {
    await this.#list();
    const first = this.#bases[0];
    if (first === undefined) throw corruption(`"${this.#folder}"`, 'no segment is there');
    const wanted = Math.max(first, offset);
    const base = this.#bases.findLast((one) => one <= wanted)!;
    try {
      this.#place = await this.#placeIn(base, wanted);
    } catch (error) {
      // Retention took it since it was listed.
      if (isMissing(error)) return this.#locate(offset);
      throw error;
    }
    this.#next = wanted;
    return wanted;
  }

  async #placeIn(base: number, offset: number): Promise<Place> {
    const path = this.#path(base);
    if (offset === base) return { base, position: 0, offset };
    const file = await this.#files.open(path);
    const index = join(this.#folder, segmentName(base, OFFSET_INDEX_SUFFIX));
    const hint = await lookUpPosition(this.#fileSystem, index, { base, offset });
    const from = (await isBatchAt(file, hint, { base, offset })) ? hint : 0;
    let place: Place = { base, position: from, offset: base };
    await scanHeaders({ file, path, from, to: await file.size() }, (header, position) => {
      const after = header.baseOffset + header.lastOffsetDelta + 1;
      const isHere = after > offset;
      place = {
        base,
        position: isHere ? position : position + header.byteLength,
        offset: isHere ? header.baseOffset : after,
      };
      return after < offset;
    });
    return place;
  }

  /** The file that was read has ended. Returns the offset that comes next. */
  async #enterNextFile(wanted: number): Promise<number> {
    const before = this.#place!;
    if (!this.#bases.includes(before.offset)) await this.#list();
    if (before.offset !== before.base && this.#bases.includes(before.offset)) {
      this.#place = { base: before.offset, position: 0, offset: before.offset };
      return wanted;
    }
    const first = this.#bases[0] ?? 0;
    if (first > before.offset) return this.#locate(wanted);
    throw corruption(`"${this.#path(before.base)}"`, `it ends before offset ${before.offset}`);
  }

  async #openOrNull(path: string): Promise<LogFile | null> {
    try {
      return await this.#files.open(path);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  async #list(): Promise<void> {
    const names = await listIfThere(this.#fileSystem, this.#folder);
    this.#bases = names.flatMap((name) => parseSegmentName(name) ?? []).sort((a, b) => a - b);
  }

  #path(base: number): string {
    return join(this.#folder, segmentName(base));
  }
}

/** An index is never trusted: does a batch begin there that is not behind the one wanted? */
async function isBatchAt(
  file: LogFile,
  position: number,
  { base, offset }: { readonly base: number; readonly offset: number },
): Promise<boolean> {
  const bytes = Buffer.allocUnsafe(BATCH_HEADER_BYTES);
  if ((await file.read(bytes, 0, bytes.length, position)) < bytes.length) return false;
  try {
    const { baseOffset } = readBatchHeader(bytes, 0);
    return baseOffset >= base && baseOffset <= offset;
  } catch {
    return false;
  }
}
