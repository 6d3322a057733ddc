import type { TopicPartition } from '../api/index.ts';
import type { RecordView } from '../record/index.ts';
import type { HeldChunk } from './held-chunk.ts';
import { Watermark } from './watermark.ts';

/** Records that wait to be batched: those of `view` from `at` on. */
export interface QueuedRecords {
  readonly chunk: HeldChunk;
  readonly view: RecordView;
  at: number;
  /** Monotonic milliseconds. */
  readonly arrivedAt: number;
}

/** One assignment of a partition to a sink: what was read of it, and how far it is. */
export class PartitionFeed {
  readonly partition: TopicPartition;
  readonly watermark: Watermark<HeldChunk>;
  readonly queue: QueuedRecords[] = [];
  /** Chunks that are not freed yet, oldest first. */
  readonly chunks: HeldChunk[] = [];
  /** The next offset that is saved. */
  saved: number;
  /** Batches that are being written or wait for another attempt. */
  batches = 0;
  writing = 0;
  wantsFlush = false;
  /** Being revoked: nothing new is written. */
  isClosing = false;
  isPaused = false;

  constructor(partition: TopicPartition, options: { from: number; saved: number; needsFlush: boolean }) {
    this.partition = partition;
    this.saved = options.saved;
    this.watermark = new Watermark({
      from: options.from,
      needsFlush: options.needsFlush,
      onSpanDone: (chunk) => {
        chunk.drop();
      },
    });
  }

  get heldBytes(): number {
    let bytes = 0;
    for (const { byteLength } of this.chunks) bytes += byteLength;
    return bytes;
  }

  /** Timestamp of the oldest record that is not finished, or of the first of its stored batch; null when none was read. */
  get oldestTimestamp(): number | null {
    const { settled } = this.watermark;
    for (const { records } of this.chunks) {
      const index = firstAtOrAfter(records, settled);
      if (index < records.count) return records.baseTimestamp(index);
    }
    return null;
  }

  enqueue(records: Omit<QueuedRecords, 'at'>): void {
    records.chunk.hold();
    this.queue.push({ ...records, at: 0 });
  }

  /** The first of the queue was taken whole. */
  shift(): void {
    this.queue.shift()!.chunk.drop();
  }

  /** What was not handed to the sink is given up; acknowledgements from now on change nothing. */
  close(): void {
    this.isClosing = true;
    while (this.queue.length > 0) this.shift();
    this.watermark.close();
  }
}

function firstAtOrAfter(records: RecordView, offset: number): number {
  let low = 0;
  let high = records.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (records.offset(middle) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
