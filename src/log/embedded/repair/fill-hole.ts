import { BATCH_HEADER_BYTES, emptyBatch } from '../../../record/index.ts';
import { writeWhole } from '../files.ts';
import type { LogFile } from '../file-system.ts';
import type { Hole } from './holes.ts';

/** Readers take a batch as a whole into memory. */
const MAX_FILLER_BYTES = 1024 * 1024;

/** Whether empty batches can take the place of what was there: not of bytes that never were a batch. */
export function isFillable({ byteLength, from, to }: Hole): boolean {
  return from < to && byteLength >= BATCH_HEADER_BYTES;
}

/** Writes empty batches with the offsets that are gone over the bytes that cannot be read: what lies behind stays where it is, and so stay the indexes. */
export async function fillHole(file: LogFile, hole: Hole): Promise<void> {
  const { byteLength } = hole;
  const count = Math.min(Math.ceil(byteLength / MAX_FILLER_BYTES), hole.to - hole.from);
  const size = Math.floor(byteLength / count);
  for (let index = 0; index < count; index++) {
    const isLast = index === count - 1;
    const baseOffset = hole.from + index;
    const batch = emptyBatch({
      baseOffset,
      lastOffsetDelta: isLast ? hole.to - 1 - baseOffset : 0,
      byteLength: isLast ? byteLength - size * index : size,
      timestamp: hole.timestamp,
    });
    await writeWhole(file, [batch], hole.at + size * index);
  }
  await file.sync();
}
