import { SluiceError, type Json } from '../../api/index.ts';
import { bufferBytesFor, RecordBatchBuilder, sealBatch } from '../../record/index.ts';

/** Well below what brokers take by default. */
const MAX_BATCH_BYTES = 512 * 1024;
const VERSION = 1;

/** Null deletes. */
export type CheckpointRecord = readonly [key: string, content: Json | null];

/** Sealed batches with these records in order. */
export function encodeCheckpoints(records: readonly CheckpointRecord[], now: number): Buffer[] {
  const builders: RecordBatchBuilder[] = [];
  const encoded = records.map(([key, content]) => {
    const keyBytes = Buffer.from(key);
    const value = content === null ? null : Buffer.from(JSON.stringify({ v: VERSION, content }));
    return { keyBytes, value, room: bufferBytesFor(keyBytes.length + (value?.length ?? 0)) };
  });
  let left = encoded.reduce((sum, { room }) => sum + room, 0);
  for (const { keyBytes, value, room } of encoded) {
    if (builders.at(-1)?.append(value, keyBytes, now) !== true) {
      const builder = builderOf(Math.max(room, Math.min(left, MAX_BATCH_BYTES)), now);
      builder.append(value, keyBytes, now);
      builders.push(builder);
    }
    left -= room;
  }
  return builders.map((builder) => sealBatch(builder, { compression: 'none' }));
}

/** Throws `LOG_CORRUPT`: going on without a checkpoint would read everything again, or nothing. */
export function decodeCheckpoint(key: string, value: Uint8Array, place: string): Json {
  const text = Buffer.from(value).toString();
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    record = null;
  }
  if (typeof record === 'object' && record !== null && 'v' in record && 'content' in record && record.v === VERSION)
    return record.content as Json;
  throw new SluiceError(
    'LOG_CORRUPT',
    `reading checkpoint "${key}" at ${place}: it is none of version ${VERSION}; a newer Sluice or another program wrote it. ` +
      'Go on with that version, or delete the key to start anew',
  );
}

function builderOf(size: number, now: number): RecordBatchBuilder {
  const bytes = Buffer.allocUnsafe(size);
  return new RecordBatchBuilder({ bytes, release: () => undefined }, { maxRecordBytes: Infinity, now: () => now });
}
