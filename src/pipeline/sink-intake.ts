import type { AssignedPartition, DataRecord, Logger, Sink, SluiceError, TopicPartition } from '../api/index.ts';
import type { Assignment, FetchedChunk, TopicSubscription } from '../log/index.ts';
import type { BufferPool, RecordView } from '../record/index.ts';
import { bufferSizeIn } from './buffer-share.ts';
import type { Stage } from './dead-letter.ts';
import { HeldChunk } from './held-chunk.ts';
import { PartitionFeed } from './partition-feed.ts';
import type { ViewPool } from './view-pool.ts';
import { filterRecords } from './where.ts';
import { WriteBatch } from './write-batch.ts';

export interface SinkIntakeOptions {
  readonly sink: Sink;
  readonly subscription: TopicSubscription;
  readonly feeds: Map<number, PartitionFeed>;
  readonly views: ViewPool;
  readonly pool: BufferPool;
  readonly where: ((record: DataRecord) => boolean) | null;
  /** The sink takes stored batches as they are. */
  readonly sealed: boolean;
  readonly monotonic: () => number;
  readonly now: () => number;
  readonly log: Logger;
  readonly onDropped: (records: number) => void;
  readonly onRefused: (batch: WriteBatch, errors: readonly SluiceError[], stage: Stage) => void;
}

/** Turns what a subscription delivers into feeds, and keeps one partition from taking the buffers of the others. */
export class SinkIntake {
  readonly #options: SinkIntakeOptions;
  readonly #smallestLoan: number;

  constructor(options: SinkIntakeOptions) {
    this.#options = options;
    this.#smallestLoan = bufferSizeIn(options.pool.budgetBytes);
  }

  /** Asks the sink where its partitions go on, and begins to read there. */
  async assign(assignments: readonly Assignment[]): Promise<void> {
    const { sink, subscription, feeds, log } = this.#options;
    const wanted: readonly (TopicPartition & { next: number })[] =
      sink.assigned === undefined ? [] : await sink.assigned(assignments satisfies readonly AssignedPartition[]);
    for (const { topic, partition, incarnation, committed } of assignments) {
      const from = wanted.find((one) => one.partition === partition)?.next ?? committed;
      if (from !== committed) log.info({ partition, committed, from }, 'sink knows a partition better than its offset');
      const needsFlush = sink.flush !== undefined;
      feeds.set(
        partition,
        new PartitionFeed({ topic, partition, incarnation }, { from, saved: committed, needsFlush }),
      );
      subscription.seek(partition, from);
    }
  }

  /** Takes over the chunk. Throws `RECORD_CORRUPT` when its bytes are not what was stored. */
  take(chunk: FetchedChunk): void {
    const { feeds, views, where, sealed, monotonic } = this.#options;
    const feed = feeds.get(chunk.partition.partition);
    if (feed === undefined || feed.isClosing) {
      chunk.release();
      return;
    }
    const records = views.take();
    let held: HeldChunk | null = null;
    const filtered = where === null ? null : views.take();
    try {
      if (sealed && where === null) records.addSealed(feed.partition, chunk.bytes, chunk.from);
      else records.addStored(feed.partition, chunk.bytes, chunk.from);
      const bytes = Math.max(chunk.bytes.length, this.#smallestLoan);
      held = new HeldChunk(records, bytes, () => {
        this.#free(feed, held!, chunk);
        views.give(records);
        if (filtered !== null) views.give(filtered);
      });
      // This function's own hold, beside the watermark's.
      held.hold();
      feed.chunks.push(held);
      feed.watermark.begin({ from: chunk.from, next: chunk.next, records, owner: held });
    } catch (error) {
      if (held === null) chunk.release();
      throw error;
    }
    if (filtered !== null) this.#filter(feed, held, filtered);
    const view = filtered ?? records;
    if (view.count > 0) feed.enqueue({ chunk: held, view, arrivedAt: monotonic() });
    held.drop();
    this.#limit(feed);
  }

  #filter(feed: PartitionFeed, chunk: HeldChunk, wanted: RecordView): void {
    const { views, where, now, onDropped, onRefused } = this.#options;
    const { records } = chunk;
    const errors: SluiceError[] = [];
    const refused = views.take();
    let dropped = 0;
    filterRecords(records, where!, {
      wanted,
      onDropped: (index) => {
        const offset = records.offset(index);
        dropped += feed.watermark.finish(offset, offset + 1, 'dropped');
      },
      onRefused: (index, error) => {
        refused.addFrom(records, index);
        errors.push(error);
      },
    });
    if (dropped > 0) onDropped(dropped);
    if (errors.length === 0) {
      views.give(refused);
      return;
    }
    const batch = new WriteBatch({ view: refused, owner: views, views, chunks: new Set([chunk]), feeds: [feed] });
    batch.attempts = 1;
    batch.firstAt = now();
    onRefused(batch, errors, 'where');
  }

  #free(feed: PartitionFeed, held: HeldChunk, chunk: FetchedChunk): void {
    feed.chunks.splice(feed.chunks.indexOf(held), 1);
    chunk.release();
    this.#limit(feed);
  }

  // A partition that waits behind a retried batch would otherwise fill the pool, and the others would wait with it.
  #limit(feed: PartitionFeed): void {
    const { subscription, feeds, pool } = this.#options;
    if (feed.isClosing) return;
    const share = Math.max(2 * this.#smallestLoan, (pool.budgetBytes * 0.75) / Math.max(1, feeds.size));
    const { heldBytes } = feed;
    if (!feed.isPaused && heldBytes >= share) {
      feed.isPaused = true;
      subscription.pause(feed.partition.partition);
    } else if (feed.isPaused && heldBytes <= share / 2) {
      feed.isPaused = false;
      subscription.resume(feed.partition.partition);
    }
  }
}
