import type { RecordBatch } from 'sluice/api';

/** Lengths and deltas of a record, at the most. */
const RECORD_OVERHEAD_BYTES = 40;

/** How many bytes of a batch this record takes at the most. */
export function sizeOf(batch: RecordBatch, index: number): number {
  let bytes = RECORD_OVERHEAD_BYTES + Math.max(0, batch.valueLength(index)) + (batch.key(index)?.length ?? 0);
  for (const [name, value] of batch.headers(index)) bytes += 10 + 3 * name.length + (value?.length ?? 0);
  return bytes;
}
