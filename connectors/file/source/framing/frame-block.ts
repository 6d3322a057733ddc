import type { BatchBuilder } from 'sluice/api';
import type { TailedFile } from '../tailed-file.ts';
import type { BlockEnd, BlockPlace } from './block.ts';
import { CutBlock, type CutBlockOptions } from './cut-block.ts';
import type { RecordWriterOptions } from './record-writer.ts';
import { beginSkipping } from './skipping.ts';

/** Records of any framing and encoding, each by itself. */
export class FrameBlock extends CutBlock {
  readonly #options: RecordWriterOptions;

  constructor(file: TailedFile, bytes: Buffer, place: BlockPlace, options: CutBlockOptions) {
    super(file, bytes, place, options);
    this.#options = options;
  }

  takeInto(batch: BatchBuilder): BlockEnd | null {
    const cutter = this.cutter;
    const file = this.file;
    while (!file.isSkipping && this.from + this.at < file.limit && cutter.find(this, this.at)) {
      if (!this.#take(batch)) return null;
      this.at = cutter.next;
    }
    return this.#finish(batch);
  }

  /** What is behind the last whole record. */
  #finish(batch: BatchBuilder): BlockEnd | null {
    const cutter = this.cutter;
    const file = this.file;
    const isAtEnd = this.end < this.bytes.length;
    if (this.from + this.at >= file.limit) return 'end';
    const hasRest = !file.isSkipping && this.end > this.at;
    if (hasRest && this.writer.isTooLong(cutter)) {
      if (!this.writer.appendLong(batch, this.at, cutter.start, cutter.stop)) return null;
      this.at = beginSkipping(file, this, cutter);
    } else if (hasRest && isAtEnd && cutter.isLeft(file)) {
      if (!cutter.takesRest) this.writer.rejectTorn(this.at, this.end);
      else if (!this.#take(batch)) return null;
      this.at = this.end;
    } else this.isTooSmall = hasRest && !isAtEnd && this.at === this.start;
    return isAtEnd ? 'end' : 'more';
  }

  /** Takes what the cutter found. False when the batch is full. */
  #take(batch: BatchBuilder): boolean {
    const { form, max, scratch } = this.#options;
    const { start, stop } = this.cutter;
    const writer = this.writer;
    if (stop - start > writer.maxFileBytes) return writer.appendLong(batch, this.at, start, stop);
    if (form.transcode === null) return writer.append(batch, this.at, this.bytes, start, stop);
    const end = form.transcode(this.bytes, start, stop, scratch.room(form, stop - start), 0);
    return end > max
      ? writer.appendLong(batch, this.at, start, stop)
      : writer.append(batch, this.at, scratch.bytes, 0, end);
  }
}
