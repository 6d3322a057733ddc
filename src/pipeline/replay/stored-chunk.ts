import type { TopicPartition } from '../../api/index.ts';
import type { FetchedChunk } from '../../log/index.ts';
import {
  BATCH_HEADER_BYTES,
  bufferBytesFor,
  RecordBatchBuilder,
  sealBatch,
  setBaseOffset,
  type BufferPool,
} from '../../record/index.ts';
import type { PlacedRecord } from './replay-record.ts';

const CHUNK_BYTES = 512 * 1024;

/** A part of the records of one partition that a chunk has room for. */
export interface ChunkPlan {
  readonly partition: TopicPartition;
  readonly records: readonly PlacedRecord[];
  readonly bytes: number;
  readonly from: number;
  readonly next: number;
}

/** `records`: of one partition, their offsets ascending. */
export function planChunks(partition: TopicPartition, records: readonly PlacedRecord[]): ChunkPlan[] {
  const plans: ChunkPlan[] = [];
  let part: PlacedRecord[] = [];
  let bytes = 0;
  let from = records[0]?.place.offset ?? 0;
  const close = (): void => {
    if (part.length === 0) return;
    const next = part.at(-1)!.place.offset + 1;
    plans.push({ partition, records: part, bytes, from, next });
    [part, bytes, from] = [[], 0, next];
  };
  for (const record of records) {
    const size = sizeOf(record);
    if (bytes + size > CHUNK_BYTES) close();
    part.push(record);
    bytes += size;
  }
  close();
  return plans;
}

/** Stored batches, as a topic log would give them: one for each run of offsets without gaps. */
export async function storeChunk(plan: ChunkPlan, pool: BufferPool, signal: AbortSignal): Promise<FetchedChunk> {
  const { partition, records, bytes, from, next } = plan;
  const buffer = await pool.acquire(bytes, signal);
  let end = 0;
  for (let first = 0; first < records.length;) {
    let last = first + 1;
    while (last < records.length && records[last]!.place.offset === records[last - 1]!.place.offset + 1) last++;
    end += storeBatch(buffer.bytes.subarray(end), records.slice(first, last));
    first = last;
  }
  const release = (): void => {
    buffer.release();
  };
  return { partition, bytes: buffer.bytes.subarray(0, end), from, next, release };
}

function storeBatch(target: Buffer, records: readonly PlacedRecord[]): number {
  const builder = new RecordBatchBuilder(
    { bytes: target, release: () => undefined },
    { maxRecordBytes: Infinity, now: () => 0 },
  );
  for (const { key, value, timestamp, headers } of records) builder.append(value, key, timestamp, headers);
  const sealed = sealBatch(builder, { compression: 'none' });
  setBaseOffset(sealed, 0, records[0]!.place.offset);
  return sealed.length;
}

function sizeOf({ key, value, headers }: PlacedRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers) bytes += Buffer.byteLength(name) + (content?.length ?? 0);
  return BATCH_HEADER_BYTES + bufferBytesFor(bytes, headers.length);
}
