import type { RecordBatch, RecordFailure, SluiceError } from 'sluice/api';
import { BufferPool, bufferBytesFor, partitionForKey, RecordBatchBuilder, sealBatch } from 'sluice/kafka';
import type { SinkOptions } from './options.ts';
import { sizeOf } from './size-of.ts';

/** Below the limit that brokers have by default (`message.max.bytes`, 1,048,588), with room for the batch's header and growing deltas. */
const MAX_PARCEL_BYTES = 960 * 1024;

/** A sealed batch for one partition, and which records of the write it holds. */
export interface Parcel {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly count: number;
  /** Of its records in the write. */
  indexes(): readonly number[];
}

interface OpenParcel {
  readonly topic: string;
  readonly partition: number;
  readonly indexes: number[];
  bytes: number;
}

/** Stored batches as they are, to the partition of their number. */
export function passParcels(batch: RecordBatch, topic: string, partitions: number): readonly Parcel[] | null {
  return (
    batch.sealed?.map(({ partition, bytes, first, count }) => ({
      topic,
      partition: partition.partition % partitions,
      bytes,
      count,
      indexes: () => Array.from({ length: count }, (_, index) => first + index),
    })) ?? null
  );
}

/** Batches built anew, in the order of the records. What has no place is in `failures`. */
export function buildParcels(
  batch: RecordBatch,
  options: Pick<SinkOptions, 'partition_by' | 'compression'>,
  targetOf: (index: number) => { readonly topic: string; readonly partitions: number } | SluiceError,
): { readonly parcels: readonly Parcel[]; readonly failures: readonly RecordFailure[] } {
  const open = new Map<string, OpenParcel>();
  const full: OpenParcel[] = [];
  const failures: RecordFailure[] = [];
  for (const run of batch.runs) {
    for (let index = run.first; index < run.first + run.count; index++) {
      const target = targetOf(index);
      if (target instanceof Error) {
        failures.push({ index, disposition: 'reject', error: target });
        continue;
      }
      const key = options.partition_by === 'key' ? batch.key(index) : null;
      const { topic, partitions } = target;
      const partition = key === null ? run.partition % partitions : partitionForKey(key, partitions);
      const place = `${partition} ${topic}`;
      const bytes = sizeOf(batch, index);
      let parcel = open.get(place);
      if (parcel === undefined || parcel.bytes + bytes > MAX_PARCEL_BYTES) {
        parcel = { topic, partition, indexes: [], bytes: 0 };
        open.set(place, parcel);
        full.push(parcel);
      }
      parcel.indexes.push(index);
      parcel.bytes += bytes;
    }
  }
  return { parcels: full.map((parcel) => seal(batch, parcel, options.compression)), failures };
}

function seal(batch: RecordBatch, parcel: OpenParcel, compression: SinkOptions['compression']): Parcel {
  const bytes = bufferBytesFor(parcel.bytes);
  const buffer = new BufferPool({ budgetBytes: bytes, bufferBytes: bytes }).tryAcquire(bytes)!;
  const builder = new RecordBatchBuilder(buffer, { maxRecordBytes: bytes, now: () => 0 });
  for (const index of parcel.indexes) {
    const isIn = builder.append(batch.value(index), batch.key(index), batch.timestamp(index), batch.headers(index));
    if (!isIn) throw new Error('a record is larger than it was measured');
  }
  const { topic, partition, indexes } = parcel;
  return {
    topic,
    partition,
    bytes: sealBatch(builder, { compression }),
    count: indexes.length,
    indexes: () => indexes,
  };
}
