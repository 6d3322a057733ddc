import { SluiceError, type BatchBuilder, type RejectedRecord } from 'sluice/api';
import type { TailedFile } from '../tailed-file.ts';
import type { Block, BlockEnd, BlockPlace } from './block.ts';
import type { Cutter, FileBytes } from './cutter.ts';
import type { TextForm } from './encoding.ts';
import type { FileLabels, Labels } from './labels.ts';
import { characterEnd, tooLong, type SkippedRecords } from './long-records.ts';
import type { FramingSettings } from './settings.ts';
import type { Scratch } from './scratch.ts';

export interface FrameBlockOptions {
  readonly cutter: Cutter;
  readonly form: TextForm;
  readonly labels: Labels;
  readonly fileLabels: FileLabels;
  /** Of a value. */
  readonly max: number;
  readonly onLongLine: FramingSettings['onLongLine'];
  readonly skipped: SkippedRecords;
  readonly scratch: Scratch;
}

/** Records of any framing and encoding. */
export class FrameBlock implements Block, FileBytes {
  at: number;
  isTooSmall = false;
  recordBytes = 0;
  readonly rejected: RejectedRecord[] = [];
  readonly bytes: Buffer;
  readonly from: number;
  readonly end: number;
  readonly #file: TailedFile;
  readonly #options: FrameBlockOptions;
  readonly #start: number;
  readonly #timestamp: number;
  /** Of bytes in the file: a longer value is too long however it is encoded. */
  readonly #maxFileBytes: number;

  constructor(
    file: TailedFile,
    bytes: Buffer,
    { from, start, end, timestamp }: BlockPlace,
    options: FrameBlockOptions,
  ) {
    this.#file = file;
    this.bytes = bytes;
    this.from = from;
    this.end = end;
    this.#start = start;
    this.#timestamp = timestamp;
    this.#options = options;
    this.#maxFileBytes = options.max * options.form.width;
    // The mark may come in pieces: then it is there as a whole at the next look.
    this.at = Math.min(end, Math.max(start, options.form.markBytes - from));
    if (file.isSkipping) this.#skip();
  }

  takeInto(batch: BatchBuilder): BlockEnd | null {
    const { cutter } = this.#options;
    const file = this.#file;
    while (!file.isSkipping && this.from + this.at < file.limit && cutter.find(this, this.at)) {
      if (!this.#take(batch)) return null;
      this.at = cutter.next;
    }
    return this.#finish(batch);
  }

  /** What is behind the last whole record. */
  #finish(batch: BatchBuilder): BlockEnd | null {
    const file = this.#file;
    const isAtEnd = this.end < this.bytes.length;
    if (this.from + this.at >= file.limit) return 'end';
    const hasRest = !file.isSkipping && this.end > this.at;
    if (hasRest && this.#isTooLongAlready()) {
      if (!this.#takeLong(batch)) return null;
      const { next } = this.#options.cutter;
      file.isSkipping = true;
      file.skipTo = next < 0 ? null : this.from + next;
      this.at = this.#unitEnd();
    } else if (hasRest && isAtEnd && (file.isFinal || file.limit < Infinity)) {
      if (!this.#takeRest(batch)) return null;
      this.at = this.end;
    } else this.isTooSmall = hasRest && !isAtEnd && this.at === this.#start;
    return isAtEnd ? 'end' : 'more';
  }

  /** The unfinished record that the cutter found last. */
  #isTooLongAlready(): boolean {
    const { cutter, onLongLine } = this.#options;
    const held = this.end - cutter.start;
    if (cutter.next < 0) return held > this.#maxFileBytes + cutter.overhead;
    // What is cut must not depend on how much of it is there when it is looked at; of a dead letter it may.
    return cutter.next - cutter.start > this.#maxFileBytes && (onLongLine !== 'truncate' || held > this.#maxFileBytes);
  }

  #takeRest(batch: BatchBuilder): boolean {
    if (this.#options.cutter.takesRest) return this.#take(batch);
    const { path } = this.#file;
    this.rejected.push({
      value: Buffer.from(this.bytes.subarray(this.at, this.end)),
      error: new SluiceError('DECODE_INVALID', `reading "${path}": the file ends within a record`),
      position: `${path}@${this.from + this.at}`,
    });
    return true;
  }

  /** Takes what the cutter found. False when the batch is full. */
  #take(batch: BatchBuilder): boolean {
    const { cutter, form, max, scratch } = this.#options;
    const { start, stop } = cutter;
    if (stop - start > this.#maxFileBytes) return this.#takeLong(batch);
    if (form.transcode === null) return this.#append(batch, this.bytes, start, stop);
    const end = form.transcode(this.bytes, start, stop, scratch.room(form, stop - start), 0);
    return end > max ? this.#takeLong(batch) : this.#append(batch, scratch.bytes, 0, end);
  }

  #append(batch: BatchBuilder, bytes: Buffer, start: number, stop: number, isTruncated = false): boolean {
    const { labels, fileLabels } = this.#options;
    const headers = labels.headersOf(fileLabels, this.from + this.at, isTruncated);
    if (batch.appendSlice(bytes, start, stop, this.#timestamp, headers)) return true;
    this.recordBytes = stop - start + fileLabels.byteLength;
    return false;
  }

  /** What is to be done with a record that is longer than allowed. */
  #takeLong(batch: BatchBuilder): boolean {
    const { cutter, form, max, scratch, onLongLine } = this.#options;
    if (onLongLine === 'skip') {
      this.#options.skipped.skipped(this.#file.path);
      return true;
    }
    let { bytes } = this;
    let { start } = cutter;
    let length = Math.min(cutter.stop - start, this.#maxFileBytes + form.width);
    if (form.transcode !== null) {
      length = form.transcode(bytes, start, start + length, scratch.room(form, length), 0);
      bytes = scratch.bytes;
      start = 0;
    }
    if (onLongLine === 'truncate') {
      const cut = length > max ? characterEnd(bytes, start, start + max) : start + length;
      return this.#append(batch, bytes, start, cut, true);
    }
    const value = bytes.subarray(start, start + Math.min(length, max));
    this.rejected.push(tooLong(this.#file.path, { value, offset: this.from + this.at, max }));
    return true;
  }

  #skip(): void {
    const { skipTo } = this.#file;
    const next = skipTo === null ? this.#options.cutter.findNext(this, this.at) : skipTo - this.from;
    if (next < 0 || next > this.end) {
      this.at = Math.max(this.at, this.#unitEnd());
      return;
    }
    this.at = next;
    this.#file.isSkipping = false;
    this.#file.skipTo = null;
  }

  /** Half a unit may be half a line feed. */
  #unitEnd(): number {
    return this.#options.form.width === 1 ? this.end : this.end - ((this.from + this.end) & 1);
  }
}
