import fc from 'fast-check';
import type { RecordBatch } from '../../../src/api/index.ts';
import { crc32c } from '../../../src/record/crc32c.ts';
import {
  BufferPool,
  bufferBytesFor,
  RecordBatchBuilder,
  RecordView,
  sealBatch,
  type Compression,
} from '../../../src/record/index.ts';
import { AT, BATCH_HEADER_BYTES, LENGTH_COUNTS_FROM } from '../../../src/record/layout.ts';

/** A record as a test knows it. */
export interface Known {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: number;
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
}

export const partition = { topic: 't', partition: 3, incarnation: 'AAAAAAAA' };

export function createBuilder(bytes: number, maxRecordBytes = bytes): RecordBatchBuilder {
  const buffer = new BufferPool({ budgetBytes: bytes, bufferBytes: bytes }).tryAcquire(bytes)!;
  return new RecordBatchBuilder(buffer, { maxRecordBytes, now: () => 42 });
}

export function sealed(records: readonly Known[], compression: Compression = 'none'): Buffer {
  const bytes = records.reduce((sum, record) => sum + bufferBytesFor(payloadOf(record), record.headers.length), 0);
  const builder = createBuilder(bytes);
  for (const { key, value, timestamp, headers } of records) {
    if (!builder.append(value, key, timestamp, headers)) throw new Error('a record of the test does not fit');
  }
  return Buffer.from(sealBatch(builder, { compression }));
}

export function viewOf(...chunks: readonly Buffer[]): RecordView {
  const view = new RecordView({ decode: (bytes) => bytes });
  for (const chunk of chunks) view.addStored(partition, chunk, 0);
  return view;
}

export function knownOf(batch: RecordBatch, index: number): Known {
  return {
    key: copied(batch.key(index)),
    value: copied(batch.value(index)),
    timestamp: batch.timestamp(index),
    headers: [...batch.headers(index)].map(([name, value]) => [name, copied(value)] as const),
  };
}

export function allOf(batch: RecordBatch): Known[] {
  return Array.from({ length: batch.count }, (_, index) => knownOf(batch, index));
}

/** A text a record: Jest compares buffers byte by byte, and slowly. */
export function texts(records: readonly Known[]): string[] {
  return records.map(({ key, value, timestamp, headers }) => {
    const inHeaders = headers.map(([name, content]) => `${JSON.stringify(name)}=${textOf(content)}`);
    return `${timestamp} ${textOf(key)} ${textOf(value)} ${inHeaders.join(' ')}`;
  });
}

function textOf(bytes: Buffer | null): string {
  return bytes === null ? 'null' : `'${bytes.toString('latin1')}'`;
}

export function payloadOf({ key, value, headers }: Known): number {
  const inHeaders = headers.reduce((sum, [name, content]) => sum + Buffer.byteLength(name) + (content?.length ?? 0), 0);
  return (key?.length ?? 0) + (value?.length ?? 0) + inHeaders;
}

function copied(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}

/** The batch with other bytes behind its header, length and checksum right: what an attacker writes. */
export function withRecords(batch: Buffer, records: Uint8Array, compression?: number): Buffer {
  const forged = Buffer.concat([batch.subarray(0, BATCH_HEADER_BYTES), records]);
  if (compression !== undefined) forged.writeInt16BE(compression, AT.attributes);
  forged.writeInt32BE(forged.length - LENGTH_COUNTS_FROM, AT.batchLength);
  forged.writeUInt32BE(crc32c(forged.subarray(AT.attributes)), AT.crc);
  return forged;
}

/** Lengths around those where a varint takes one byte more. */
const length = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(62, 63, 64, 65, 8190, 8191, 8192, 8193));
const bytes = length.map((size) => Buffer.alloc(size, `${size} bytes `));
const field = fc.option(bytes, { nil: null });
const headerName = fc.oneof(fc.constantFrom('a', 'b', '__proto__', ''), fc.string({ unit: 'grapheme', maxLength: 5 }));
const header = fc.tuple(headerName, fc.option(fc.constantFrom(Buffer.alloc(0), Buffer.from('x')), { nil: null }));
const timestamp = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 52 - 1 }),
  fc.integer({ min: 1_767_225_600_000, max: 1_767_225_700_000 }),
  fc.constantFrom(0, 63, 64, 2 ** 30, 2 ** 31, 2 ** 52 - 1),
);

export const knownRecord: fc.Arbitrary<Known> = fc.record({
  key: field,
  value: field,
  timestamp,
  headers: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(header, { maxLength: 4 }) },
  ),
});
