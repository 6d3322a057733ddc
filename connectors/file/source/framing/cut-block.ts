import type { BatchBuilder, RejectedRecord } from 'sluice/api';
import type { TailedFile } from '../tailed-file.ts';
import type { Block, BlockEnd, BlockPlace } from './block.ts';
import type { Cutter, FileBytes } from './cutter.ts';
import { RecordWriter, type RecordWriterOptions } from './record-writer.ts';
import { skipRest } from './skipping.ts';

export interface CutBlockOptions extends RecordWriterOptions {
  readonly cutter: Cutter;
}

/** A block that a cutter takes apart, from behind the byte order mark and the rest of a record that was too long. */
export abstract class CutBlock implements Block, FileBytes {
  at: number;
  isTooSmall = false;
  readonly bytes: Buffer;
  readonly from: number;
  readonly end: number;
  protected readonly file: TailedFile;
  protected readonly cutter: Cutter;
  protected readonly writer: RecordWriter;
  protected readonly start: number;

  constructor(file: TailedFile, bytes: Buffer, { from, start, end }: BlockPlace, options: CutBlockOptions) {
    this.file = file;
    this.bytes = bytes;
    this.from = from;
    this.end = end;
    this.start = start;
    this.cutter = options.cutter;
    this.writer = new RecordWriter(file, this, options);
    this.at = Math.min(end, Math.max(start, options.form.markBytes - from));
    if (file.isSkipping) this.at = skipRest(file, this, options.cutter, this.at);
  }

  get rejected(): readonly RejectedRecord[] {
    return this.writer.rejected;
  }

  get recordBytes(): number {
    return this.writer.recordBytes;
  }

  abstract takeInto(batch: BatchBuilder): BlockEnd | null;
}
