import type { BatchBuilder, RejectedRecord } from 'sluice/api';
import type { TailedFile } from '../tailed-file.ts';
import type { Block, BlockEnd, BlockPlace } from './block.ts';
import type { Cutter, FileBytes } from './cutter.ts';
import { RecordWriter, type RecordWriterOptions } from './record-writer.ts';
import { beginSkipping, skipRest } from './skipping.ts';

/** Records of any framing and encoding, each by itself. */
export class FrameBlock implements Block, FileBytes {
  at: number;
  isTooSmall = false;
  readonly bytes: Buffer;
  readonly from: number;
  readonly end: number;
  readonly #file: TailedFile;
  readonly #cutter: Cutter;
  readonly #options: RecordWriterOptions;
  readonly #writer: RecordWriter;
  readonly #start: number;

  constructor(
    file: TailedFile,
    bytes: Buffer,
    { from, start, end }: BlockPlace,
    { cutter, ...options }: RecordWriterOptions & { readonly cutter: Cutter },
  ) {
    this.#file = file;
    this.bytes = bytes;
    this.from = from;
    this.end = end;
    this.#start = start;
    this.#cutter = cutter;
    this.#options = options;
    this.#writer = new RecordWriter(file, this, options);
    this.at = Math.min(end, Math.max(start, options.form.markBytes - from));
    if (file.isSkipping) this.at = skipRest(file, this, cutter, this.at);
  }

  get rejected(): readonly RejectedRecord[] {
    return this.#writer.rejected;
  }

  get recordBytes(): number {
    return this.#writer.recordBytes;
  }

  takeInto(batch: BatchBuilder): BlockEnd | null {
    const cutter = this.#cutter;
    const file = this.#file;
    while (!file.isSkipping && this.from + this.at < file.limit && cutter.find(this, this.at)) {
      if (!this.#take(batch)) return null;
      this.at = cutter.next;
    }
    return this.#finish(batch);
  }

  /** What is behind the last whole record. */
  #finish(batch: BatchBuilder): BlockEnd | null {
    const cutter = this.#cutter;
    const file = this.#file;
    const isAtEnd = this.end < this.bytes.length;
    if (this.from + this.at >= file.limit) return 'end';
    const hasRest = !file.isSkipping && this.end > this.at;
    if (hasRest && this.#writer.isTooLong(cutter)) {
      if (!this.#writer.appendLong(batch, this.at, cutter.start, cutter.stop)) return null;
      this.at = beginSkipping(file, this, cutter);
    } else if (hasRest && isAtEnd && cutter.isLeft(file)) {
      if (!cutter.takesRest) this.#writer.rejectTorn(this.at, this.end);
      else if (!this.#take(batch)) return null;
      this.at = this.end;
    } else this.isTooSmall = hasRest && !isAtEnd && this.at === this.#start;
    return isAtEnd ? 'end' : 'more';
  }

  /** Takes what the cutter found. False when the batch is full. */
  #take(batch: BatchBuilder): boolean {
    const { form, max, scratch } = this.#options;
    const { start, stop } = this.#cutter;
    const writer = this.#writer;
    if (stop - start > writer.maxFileBytes) return writer.appendLong(batch, this.at, start, stop);
    if (form.transcode === null) return writer.append(batch, this.at, this.bytes, start, stop);
    const end = form.transcode(this.bytes, start, stop, scratch.room(form, stop - start), 0);
    return end > max
      ? writer.appendLong(batch, this.at, start, stop)
      : writer.append(batch, this.at, scratch.bytes, 0, end);
  }
}
