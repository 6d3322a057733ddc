import { crc32c, setBaseOffset } from '../../../src/record/index.ts';
import { AT, ATTRIBUTE } from '../../../src/record/layout.ts';
import { sealed } from '../../record/support/records.ts';

export interface BatchOptions {
  readonly producerId?: number;
  readonly attributes?: number;
  readonly appendTime?: boolean;
  /** Compaction left so many of its records. */
  readonly keep?: number;
}

/** As a broker stores it: `count` records from `offset` on. */
export function plainBatch(offset: number, count: number, options: BatchOptions = {}): Buffer {
  const { producerId = -1, attributes = 0, appendTime = false, keep = count } = options;
  const records = Array.from({ length: Math.max(1, keep) }, (_, index) => ({
    key: null,
    value: Buffer.from(`value ${offset + index}`),
    timestamp: 1_767_225_600_000,
    headers: [],
  }));
  const whole = sealed(records);
  const batch = keep === 0 ? whole.subarray(0, 61) : whole;
  return withBytes(batch, (bytes) => {
    setBaseOffset(bytes, 0, offset);
    bytes.writeInt32BE(bytes.length - 12, AT.batchLength);
    bytes.writeInt16BE(attributes | (appendTime ? ATTRIBUTE.appendTime : 0), AT.attributes);
    bytes.writeInt32BE(count - 1, AT.lastOffsetDelta);
    bytes.writeBigInt64BE(BigInt(producerId), AT.producerId);
    bytes.writeInt32BE(keep, AT.count);
    bytes.writeUInt32BE(crc32c(bytes.subarray(AT.attributes)), AT.crc);
  });
}

/** A copy that was changed; its checksum is the change's business. */
export function withBytes(batch: Buffer, change: (bytes: Buffer) => unknown): Buffer {
  const bytes = Buffer.from(batch);
  change(bytes);
  return bytes;
}

/** Of a transaction, whatever becomes of it. */
export function abortedBatch(offset: number, count: number, producerId: number): Buffer {
  return plainBatch(offset, count, { producerId, attributes: ATTRIBUTE.transactional });
}

export function abortMarker(offset: number, producerId: number): Buffer {
  return marker(offset, producerId, 0);
}

export function commitMarker(offset: number, producerId: number): Buffer {
  return marker(offset, producerId, 1);
}

/** One record: key {version 0, type}, value {version 0, coordinator epoch}. */
function marker(offset: number, producerId: number, type: number): Buffer {
  const key = Buffer.from([0, 0, 0, type]);
  const batch = sealed([{ key, value: Buffer.alloc(6), timestamp: 1_767_225_600_000, headers: [] }]);
  return withBytes(batch, (bytes) => {
    setBaseOffset(bytes, 0, offset);
    bytes.writeInt16BE(ATTRIBUTE.transactional | ATTRIBUTE.control, AT.attributes);
    bytes.writeBigInt64BE(BigInt(producerId), AT.producerId);
    bytes.writeUInt32BE(crc32c(bytes.subarray(AT.attributes)), AT.crc);
  });
}
