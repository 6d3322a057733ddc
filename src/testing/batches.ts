import type { Headers, TopicPartition } from '../api/index.ts';
import {
  BufferPool,
  bufferBytesFor,
  RecordBatchBuilder,
  RecordView,
  sealBatch,
  setBaseOffset,
  type Compression,
} from '../record/index.ts';

/** A record as a test writes it down: a string stands for its UTF-8 bytes. */
export interface TestRecord {
  readonly value: string | Uint8Array | null;
  readonly key?: string | Uint8Array | null;
  readonly timestamp?: number;
  readonly headers?: Headers;
}

/** One stored batch: what a topic log would hand out for these records from offset `base` on. */
export function storedBatch(records: readonly TestRecord[], base = 0, compression: Compression = 'none'): Buffer {
  const encoded = records.map((record) => ({
    ...record,
    key: bytesOf(record.key ?? null),
    value: bytesOf(record.value),
  }));
  const headers = encoded.map((record) => [...(record.headers ?? [])]);
  const payload = encoded.reduce((sum, { key, value }, index) => {
    const inHeaders = headers[index]!.reduce(
      (bytes, [name, content]) => bytes + 3 * name.length + (content?.length ?? 0) + 10,
      0,
    );
    return sum + bufferBytesFor((key?.length ?? 0) + (value?.length ?? 0) + inHeaders);
  }, 256);
  const buffer = new BufferPool({ budgetBytes: payload, bufferBytes: payload }).tryAcquire(payload)!;
  const builder = new RecordBatchBuilder(buffer, { maxRecordBytes: payload, now: () => 0 });
  for (const [index, { key, value, timestamp }] of encoded.entries()) {
    if (!builder.append(value, key, timestamp ?? 0, headers[index]))
      throw new Error('a test batch does not fit its buffer');
  }
  const bytes = Buffer.from(sealBatch(builder, { compression }));
  builder.release();
  setBaseOffset(bytes, 0, base);
  return bytes;
}

/** A batch as a sink gets it, of runs of records. */
export function recordBatch(
  runs: readonly {
    readonly partition: TopicPartition;
    readonly base: number;
    readonly records: readonly TestRecord[];
  }[],
  decode: (bytes: Uint8Array) => unknown = decodeJson,
): RecordView {
  const view = new RecordView({ decode });
  for (const { partition, base, records } of runs) view.addStored(partition, storedBatch(records, base), base);
  return view;
}

const decodeJson = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString()) as unknown;

function bytesOf(value: string | Uint8Array | null): Uint8Array | null {
  return typeof value === 'string' ? Buffer.from(value) : value;
}
