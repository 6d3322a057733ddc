import { SluiceError } from '../api/index.ts';
import { COMPRESSIONS, type Compression } from './compression.ts';
import { crc32c } from './crc32c.ts';
import { AT, ATTRIBUTE, BATCH_HEADER_BYTES, LENGTH_COUNTS_FROM, readInt64, writeInt64 } from './layout.ts';

const MAGIC = 2;

export interface BatchHeader {
  readonly baseOffset: number;
  /** The whole batch, header included. */
  readonly byteLength: number;
  readonly partitionLeaderEpoch: number;
  readonly attributes: number;
  readonly compression: Compression;
  /** The offset of the last record, minus the base offset; a compacted batch keeps it when the record is gone. */
  readonly lastOffsetDelta: number;
  /** Milliseconds since the epoch; -1: none. */
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  /** Records that are really there; 0 after compaction took them all. */
  readonly count: number;
  readonly isControl: boolean;
  readonly isTransactional: boolean;
  /** All records have the broker's time, `maxTimestamp`. */
  readonly isAppendTime: boolean;
}

/**
 * The header of the batch at `at`. Only the 61 bytes of the header must be there; whether the rest is, and right, is `verifyBatch`'s business.
 * Throws `RECORD_CORRUPT`, and `RECORD_UNSUPPORTED` for formats before Kafka 0.11 and unknown compressions.
 */
export function readBatchHeader(bytes: Buffer, at: number): BatchHeader {
  if (at < 0 || at + BATCH_HEADER_BYTES > bytes.length) throw corrupt(at, 'the header is cut off');
  const magic = bytes.readInt8(at + AT.magic);
  if (magic !== MAGIC) throw magic === 0 || magic === 1 ? unsupported(at, `format ${magic}`) : corrupt(at, 'no magic');
  const attributes = bytes.readInt16BE(at + AT.attributes);
  const compression = COMPRESSIONS[attributes & ATTRIBUTE.compression];
  if (compression === undefined) throw unsupported(at, `compression ${attributes & ATTRIBUTE.compression}`);
  const header = {
    baseOffset: readInt64(bytes, at + AT.baseOffset),
    byteLength: bytes.readInt32BE(at + AT.batchLength) + LENGTH_COUNTS_FROM,
    partitionLeaderEpoch: bytes.readInt32BE(at + AT.partitionLeaderEpoch),
    attributes,
    compression,
    lastOffsetDelta: bytes.readInt32BE(at + AT.lastOffsetDelta),
    baseTimestamp: readInt64(bytes, at + AT.baseTimestamp),
    maxTimestamp: readInt64(bytes, at + AT.maxTimestamp),
    count: bytes.readInt32BE(at + AT.count),
    isControl: (attributes & ATTRIBUTE.control) !== 0,
    isTransactional: (attributes & ATTRIBUTE.transactional) !== 0,
    isAppendTime: (attributes & ATTRIBUTE.appendTime) !== 0,
  };
  if (header.byteLength < BATCH_HEADER_BYTES) throw corrupt(at, `a length of ${header.byteLength} bytes`);
  if (header.baseOffset < 0 || header.lastOffsetDelta < 0) throw corrupt(at, 'negative offsets');
  if (header.count < 0 || header.count > header.lastOffsetDelta + 1) throw corrupt(at, `${header.count} records`);
  return header;
}

/** Is there a whole batch at `at` with the right checksum? False for one that is torn or is none at all. */
export function verifyBatch(bytes: Buffer, at: number): boolean {
  if (at < 0 || at + BATCH_HEADER_BYTES > bytes.length || bytes.readInt8(at + AT.magic) !== MAGIC) return false;
  const end = at + LENGTH_COUNTS_FROM + bytes.readInt32BE(at + AT.batchLength);
  if (end < at + BATCH_HEADER_BYTES || end > bytes.length) return false;
  return crc32c(bytes.subarray(at + AT.attributes, end)) === bytes.readUInt32BE(at + AT.crc);
}

/** Rewrites the base offset, which the checksum does not cover. */
export function setBaseOffset(bytes: Buffer, at: number, offset: number): void {
  writeInt64(bytes, at + AT.baseOffset, offset);
}

export function corrupt(at: number, fault: string): SluiceError {
  return new SluiceError('RECORD_CORRUPT', `reading the record batch at byte ${at}: ${fault}`);
}

function unsupported(at: number, what: string): SluiceError {
  return new SluiceError('RECORD_UNSUPPORTED', `reading the record batch at byte ${at}: ${what} is unknown`);
}
