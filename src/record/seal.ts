import type { RecordBatchBuilder } from './builder.ts';
import { COMPRESSIONS, MAX_INFLATED_BYTES, sharedCompressor, type Compression } from './compression.ts';
import { crc32c } from './crc32c.ts';
import { AT, BATCH_HEADER_BYTES, LENGTH_COUNTS_FROM, writeInt64 } from './layout.ts';

const NONE = -1;

/**
 * A whole batch: header filled, records compressed, checksum set, base offset 0. Without compression its bytes are the builder's own: a view, valid until
 * the builder is reset or released. Otherwise they are new. Records beyond what a reader may inflate stay uncompressed.
 */
export function sealBatch(builder: RecordBatchBuilder, options: { compression: Compression }): Buffer {
  if (builder.count === 0) throw new RangeError('sealing a batch without records');
  const compression = builder.byteLength > MAX_INFLATED_BYTES ? 'none' : options.compression;
  const bytes = compression === 'none' ? builder.bytes : withCompressedRecords(builder.bytes, compression);
  writeInt64(bytes, AT.baseOffset, 0);
  bytes.writeInt32BE(bytes.length - LENGTH_COUNTS_FROM, AT.batchLength);
  bytes.writeInt32BE(NONE, AT.partitionLeaderEpoch);
  bytes.writeInt8(2, AT.magic);
  bytes.writeInt16BE(COMPRESSIONS.indexOf(compression), AT.attributes);
  bytes.writeInt32BE(builder.count - 1, AT.lastOffsetDelta);
  writeInt64(bytes, AT.baseTimestamp, builder.baseTimestamp);
  writeInt64(bytes, AT.maxTimestamp, builder.maxTimestamp);
  writeInt64(bytes, AT.producerId, NONE);
  bytes.writeInt16BE(NONE, AT.producerEpoch);
  bytes.writeInt32BE(NONE, AT.baseSequence);
  bytes.writeInt32BE(builder.count, AT.count);
  bytes.writeUInt32BE(crc32c(bytes.subarray(AT.attributes)), AT.crc);
  return bytes;
}

function withCompressedRecords(bytes: Buffer, compression: Compression): Buffer {
  const records = sharedCompressor().compress(compression, bytes.subarray(BATCH_HEADER_BYTES));
  const sealed = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length);
  records.copy(sealed, BATCH_HEADER_BYTES);
  return sealed;
}
