import { crc32c } from './crc32c.ts';
import { AT, ATTRIBUTE, BATCH_HEADER_BYTES, writeInt64 } from './layout.ts';

const NONE = -1;

/** Under which a broker knows a producer, and which of its batches this one is. */
export interface ProducerStamp {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** The sequence of the first record in its partition. */
  readonly baseSequence: number;
  readonly isTransactional: boolean;
}

/**
 * Writes producer and sequence into a whole batch, in place, and computes its checksum anew. What a broker set in a batch that was fetched (base offset,
 * leader epoch) is taken out.
 */
export function stampProducer(batch: Buffer, stamp: ProducerStamp): void {
  writeInt64(batch, AT.baseOffset, 0);
  batch.writeInt32BE(NONE, AT.partitionLeaderEpoch);
  const others = batch.readInt16BE(AT.attributes) & ~ATTRIBUTE.transactional;
  batch.writeInt16BE(stamp.isTransactional ? others | ATTRIBUTE.transactional : others, AT.attributes);
  writeInt64(batch, AT.producerId, stamp.producerId);
  batch.writeInt16BE(stamp.producerEpoch, AT.producerEpoch);
  batch.writeInt32BE(stamp.baseSequence, AT.baseSequence);
  batch.writeUInt32BE(crc32c(batch.subarray(AT.attributes)), AT.crc);
}

/** How many sequence numbers a batch takes: one for each offset. */
export function sequencesOf(batch: Buffer): number {
  if (batch.length < BATCH_HEADER_BYTES) throw new RangeError(`a batch of ${batch.length} bytes`);
  return batch.readInt32BE(AT.lastOffsetDelta) + 1;
}
