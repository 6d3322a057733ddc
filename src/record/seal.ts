import type { RecordBatchBuilder } from './builder.ts';
import { COMPRESSIONS, MAX_INFLATED_BYTES, sharedCompressor, type Compression } from './compression.ts';
import { crc32c } from './crc32c.ts';
import type { BatchHeader } from './header.ts';
import { AT, BATCH_HEADER_BYTES, LENGTH_COUNTS_FROM, writeInt64 } from './layout.ts';

const NONE = -1;

/**
 * A whole batch: header filled, records compressed, checksum set, base offset 0. Its bytes are the builder's own: a view, valid until the builder is reset or
 * released. Compressed records take the place of the others, so the builder cannot be read any more. Records that do not get smaller stay as they are, and
 * so do those beyond what a reader may inflate.
 */
export function sealBatch(builder: RecordBatchBuilder, options: { compression: Compression }): Buffer {
  if (builder.count === 0) throw new RangeError('sealing a batch without records');
  const { baseTimestamp, maxTimestamp, count } = builder;
  const { bytes, compression } = compressed(builder, options.compression);
  return withHeader(bytes, {
    baseOffset: 0,
    lastOffsetDelta: count - 1,
    compression,
    baseTimestamp,
    maxTimestamp,
    count,
  });
}

/**
 * A batch without records that takes the place of others: it has their offsets, as compaction leaves one, and `byteLength` bytes, at least those of a header. What lies
 * behind the header are zeros.
 */
export function emptyBatch({
  byteLength,
  timestamp,
  ...offsets
}: {
  readonly baseOffset: number;
  readonly lastOffsetDelta: number;
  readonly byteLength: number;
  readonly timestamp: number;
}): Buffer {
  const header = {
    ...offsets,
    compression: 'none',
    baseTimestamp: timestamp,
    maxTimestamp: timestamp,
    count: 0,
  } as const;
  return withHeader(Buffer.alloc(byteLength), header);
}

type HeaderContent = Pick<
  BatchHeader,
  'baseOffset' | 'lastOffsetDelta' | 'compression' | 'baseTimestamp' | 'maxTimestamp' | 'count'
>;

/** `bytes` are the whole batch; everything but its header is there. */
function withHeader(bytes: Buffer, content: HeaderContent): Buffer {
  writeInt64(bytes, AT.baseOffset, content.baseOffset);
  bytes.writeInt32BE(bytes.length - LENGTH_COUNTS_FROM, AT.batchLength);
  bytes.writeInt32BE(NONE, AT.partitionLeaderEpoch);
  bytes.writeInt8(2, AT.magic);
  bytes.writeInt16BE(COMPRESSIONS.indexOf(content.compression), AT.attributes);
  bytes.writeInt32BE(content.lastOffsetDelta, AT.lastOffsetDelta);
  writeInt64(bytes, AT.baseTimestamp, content.baseTimestamp);
  writeInt64(bytes, AT.maxTimestamp, content.maxTimestamp);
  writeInt64(bytes, AT.producerId, NONE);
  bytes.writeInt16BE(NONE, AT.producerEpoch);
  bytes.writeInt32BE(NONE, AT.baseSequence);
  bytes.writeInt32BE(content.count, AT.count);
  bytes.writeUInt32BE(crc32c(bytes.subarray(AT.attributes)), AT.crc);
  return bytes;
}

function compressed(
  builder: RecordBatchBuilder,
  wanted: Compression,
): { readonly bytes: Buffer; readonly compression: Compression } {
  const { bytes } = builder;
  if (wanted !== 'none' && builder.byteLength <= MAX_INFLATED_BYTES) {
    const end = sharedCompressor().compress(wanted, bytes.subarray(BATCH_HEADER_BYTES), bytes, BATCH_HEADER_BYTES);
    if (end >= 0) return { bytes: builder.seal(end), compression: wanted };
  }
  return { bytes, compression: 'none' };
}
