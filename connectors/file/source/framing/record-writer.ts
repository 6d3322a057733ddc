import { isUtf8 } from 'node:buffer';
import { SluiceError, type BatchBuilder, type RejectedRecord } from 'sluice/api';
import type { TailedFile } from '../tailed-file.ts';
import type { FileBytes } from './cutter.ts';
import type { TextForm } from './encoding.ts';
import type { FileLabels, Labels } from './labels.ts';
import { characterEnd, tooLong, type SkippedRecords } from './long-records.ts';
import type { Scratch } from './scratch.ts';
import type { FramingSettings } from './settings.ts';

export interface RecordWriterOptions {
  readonly form: TextForm;
  readonly labels: Labels;
  readonly fileLabels: FileLabels;
  readonly timestamp: number;
  /** Some of the block is no UTF-8, and records that are not shall say so. */
  readonly hasWrongText: boolean;
  /** Of a value. */
  readonly max: number;
  readonly onLongLine: FramingSettings['onLongLine'];
  readonly skipped: SkippedRecords;
  readonly scratch: Scratch;
}

/** Makes records of what was found in a block. */
export class RecordWriter {
  readonly rejected: RejectedRecord[] = [];
  /** Of the record that did not fit into the batch: so much it takes, at most. */
  recordBytes = 0;
  /** Of bytes in the file: a longer value is too long however it is encoded. */
  readonly maxFileBytes: number;
  readonly #file: TailedFile;
  readonly #block: FileBytes;
  readonly #options: RecordWriterOptions;

  constructor(file: TailedFile, block: FileBytes, options: RecordWriterOptions) {
    this.#file = file;
    this.#block = block;
    this.#options = options;
    this.maxFileBytes = options.max * options.form.width;
  }

  /** The record at `at` has the value [start, stop) of the bytes. False when the batch is full. */
  append(batch: BatchBuilder, at: number, bytes: Buffer, start: number, stop: number, isTruncated = false): boolean {
    const { labels, fileLabels, timestamp, hasWrongText } = this.#options;
    const isWrong = hasWrongText && !isUtf8(bytes.subarray(start, stop));
    const headers = labels.headersOf(fileLabels, this.#block.from + at, isTruncated, isWrong);
    // Headers of its own are written where they belong, without the copy that shared ones are kept in.
    const isAppended = labels.hasOffset
      ? batch.append(bytes.subarray(start, stop), null, timestamp, headers)
      : batch.appendSlice(bytes, start, stop, timestamp, headers);
    if (isAppended) return true;
    this.recordBytes = stop - start + fileLabels.byteLength;
    return false;
  }

  /** Does what is to be done with a record that is longer than allowed. False when the batch is full. */
  appendLong(batch: BatchBuilder, at: number, start: number, stop: number): boolean {
    const { form, max, scratch, onLongLine, skipped } = this.#options;
    if (onLongLine === 'skip') {
      skipped.skipped(this.#file.path);
      return true;
    }
    let { bytes } = this.#block;
    let length = Math.min(stop - start, this.maxFileBytes + form.width);
    if (form.transcode !== null) {
      length = form.transcode(bytes, start, start + length, scratch.room(form, length), 0);
      bytes = scratch.bytes;
      start = 0;
    }
    if (onLongLine === 'truncate') {
      const cut = length > max ? characterEnd(bytes, start, start + max) : start + length;
      return this.append(batch, at, bytes, start, cut, true);
    }
    const value = bytes.subarray(start, start + Math.min(length, max));
    this.rejected.push(tooLong(this.#file.path, { value, offset: this.#block.from + at, max }));
    return true;
  }

  /** Refuses what is left of a record whose end was never written. */
  rejectTorn(at: number, end: number): void {
    const { path } = this.#file;
    this.rejected.push({
      value: Buffer.from(this.#block.bytes.subarray(at, end)),
      error: new SluiceError('DECODE_INVALID', `reading "${path}": the file ends within a record`),
      position: `${path}@${this.#block.from + at}`,
    });
  }

  /** Is the record that the cutter did not find the end of too long already? */
  isTooLong({
    start,
    next,
    overhead,
  }: {
    readonly start: number;
    readonly next: number;
    readonly overhead: number;
  }): boolean {
    const held = this.#block.end - start;
    if (next < 0) return held > this.maxFileBytes + overhead;
    // What is cut must not depend on how much of it is there when it is looked at; of a dead letter it may.
    return next - start > this.maxFileBytes && (this.#options.onLongLine !== 'truncate' || held > this.maxFileBytes);
  }
}
