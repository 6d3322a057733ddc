import type { StoredBatch, TopicPartition } from '../api/index.ts';
import { corrupt, readBatchHeader, setBaseOffset, verifyBatch, type BatchHeader } from './header.ts';

interface UnopenedBatch extends StoredBatch {
  readonly baseOffset: number;
  readonly baseTimestamp: number;
  /** Where it begins in the chunk. */
  readonly at: number;
}

/**
 * Stored batches that nobody looks into: what their headers say of their records is enough to account for them. Throws
 * `RECORD_CORRUPT` and `RECORD_UNSUPPORTED`.
 */
export class SealedChunk {
  readonly partition: TopicPartition;
  readonly chunk: Buffer;
  readonly from: number;
  readonly count: number;
  readonly batches: readonly UnopenedBatch[];

  /** Null when some batch has to be opened: it begins below `from`, has gaps, is a control batch, or carries the broker's time. */
  static of(partition: TopicPartition, chunk: Buffer, from: number): SealedChunk | null {
    const headers: { header: BatchHeader; at: number }[] = [];
    for (let at = 0; at < chunk.length;) {
      const header = readBatchHeader(chunk, at);
      if (!isSealable(header, from)) return null;
      if (!verifyBatch(chunk, at)) throw corrupt(at, 'cut off, or its checksum is wrong');
      headers.push({ header, at });
      at += header.byteLength;
    }
    return headers.length === 0 ? null : new SealedChunk(partition, chunk, { from, headers });
  }

  private constructor(
    partition: TopicPartition,
    chunk: Buffer,
    { from, headers }: { from: number; headers: readonly { header: BatchHeader; at: number }[] },
  ) {
    this.partition = partition;
    this.chunk = chunk;
    this.from = from;
    let first = 0;
    this.batches = headers.map(({ header: { baseOffset, baseTimestamp, byteLength, count }, at }) => {
      const bytes = chunk.subarray(at, at + byteLength);
      const batch = { partition, bytes, first, count, baseOffset, baseTimestamp, at };
      first += count;
      return batch;
    });
    this.count = first;
  }

  offset(index: number): number {
    const { baseOffset, first } = this.#batchOf(index);
    return baseOffset + index - first;
  }

  /** When the first record of its batch was. */
  baseTimestamp(index: number): number {
    return this.#batchOf(index).baseTimestamp;
  }

  /** Makes the bytes what they were: whoever got the batches may have written base offsets of its own. */
  restore(): void {
    for (const { at, baseOffset } of this.batches) setBaseOffset(this.chunk, at, baseOffset);
  }

  #batchOf(index: number): UnopenedBatch {
    const batch = this.batches.findLast(({ first }) => first <= index);
    if (batch === undefined || index >= this.count) throw new RangeError(`record ${index} of ${this.count}`);
    return batch;
  }
}

function isSealable(header: BatchHeader, from: number): boolean {
  const isWhole = header.count === header.lastOffsetDelta + 1 && header.baseOffset >= from;
  return isWhole && !header.isControl && !header.isAppendTime;
}
