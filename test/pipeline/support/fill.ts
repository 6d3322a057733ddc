import { BufferPool, RecordBatchBuilder, sealBatch } from '../../../src/record/index.ts';
import type { MemoryLog } from './memory-log.ts';

/** Commits these values as one batch of a partition of topic `in`. */
export async function fill(log: MemoryLog, partition: number, values: readonly string[]): Promise<void> {
  const size = values.reduce((sum, value) => sum + Buffer.byteLength(value) + 32, 256);
  const buffer = new BufferPool({ budgetBytes: size, bufferBytes: size }).tryAcquire(size)!;
  const builder = new RecordBatchBuilder(buffer, { maxRecordBytes: size, now: () => 1_700_000_000_000 });
  for (const value of values) builder.append(Buffer.from(value));
  const bytes = sealBatch(builder, { compression: 'none' });
  await log.commit({ batches: [{ topic: 'in', partition, bytes, count: values.length }] });
  builder.release();
}

export const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => String(from + index));
