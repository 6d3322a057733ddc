import { BATCH_HEADER_BYTES, readBatchHeader, type BatchHeader } from '../../record/index.ts';
import type { LogFile } from './file-system.ts';
import { corruption } from './log-errors.ts';

const SCRATCH_BYTES = 256 * 1024;

export interface ScanOptions {
  readonly file: LogFile;
  /** For messages. */
  readonly path: string;
  /** Where a batch begins. */
  readonly from: number;
  /** Where the last one ends. */
  readonly to: number;
}

/**
 * Visits the headers of the batches between two positions of a segment, until `visit` returns false. Small batches are read many at a time, large ones by their
 * headers only. Throws `LOG_CORRUPT` when no batch begins where one must.
 */
export async function scanHeaders(
  { file, path, from, to }: ScanOptions,
  visit: (header: BatchHeader, position: number) => boolean,
): Promise<void> {
  const scratch = Buffer.allocUnsafe(Math.min(SCRATCH_BYTES, Math.max(BATCH_HEADER_BYTES, to - from)));
  let windowAt = from;
  let windowBytes = 0;
  for (let position = from; position < to;) {
    if (position + BATCH_HEADER_BYTES > windowAt + windowBytes) {
      windowAt = position;
      windowBytes = await file.read(scratch, 0, Math.min(scratch.length, to - position), position);
    }
    const header = headerAt(scratch.subarray(0, windowBytes), position - windowAt, path, position);
    if (position + header.byteLength > to) throw corruption(`"${path}"`, `the batch at byte ${position} is cut off`);
    if (!visit(header, position)) return;
    position += header.byteLength;
  }
}

/** Throws `LOG_CORRUPT` where no header is. */
export function headerAt(bytes: Buffer, at: number, path: string, position: number): BatchHeader {
  try {
    return readBatchHeader(bytes, at);
  } catch (error) {
    throw corruption(`"${path}"`, `no batch begins at byte ${position}`, error);
  }
}
