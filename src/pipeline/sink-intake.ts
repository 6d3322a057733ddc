import type { AssignedPartition, Logger, Sink, TopicPartition } from '../api/index.ts';
import type { Assignment, FetchedChunk, TopicSubscription } from '../log/index.ts';
import type { BufferPool } from '../record/index.ts';
import { bufferSizeIn } from './buffer-share.ts';
import { HeldChunk } from './held-chunk.ts';
import { PartitionFeed } from './partition-feed.ts';
import { Sieve, type SieveOptions } from './sieve.ts';
import type { ViewPool } from './view-pool.ts';

export interface SinkIntakeOptions {
  readonly sink: Sink;
  readonly subscription: TopicSubscription;
  readonly feeds: Map<number, PartitionFeed>;
  readonly views: ViewPool;
  readonly pool: BufferPool;
  /** Of one write at the most. */
  readonly batchBytes: number;
  readonly where: SieveOptions['where'] | null;
  /** The sink takes stored batches as they are. */
  readonly sealed: boolean;
  readonly monotonic: () => number;
  readonly now: SieveOptions['now'];
  readonly log: Logger;
  readonly mayRefuse: SieveOptions['mayRefuse'];
  readonly onDropped: SieveOptions['onDropped'];
  readonly onRefused: SieveOptions['onRefused'];
}

/** As many full writes as may be out together; most are far from full, and leave room for what waits. More would only be memory. */
const WRITES_HELD = 4;

/** Turns what a subscription delivers into feeds, and keeps one partition from taking the buffers of the others. */
export class SinkIntake {
  readonly #options: SinkIntakeOptions;
  readonly #smallestLoan: number;
  /** Of all partitions, inflated. */
  readonly #mostHeldBytes: number;
  /** Null for a sink without a condition. */
  readonly #sieve: Sieve | null;
  /** Nothing is read, whatever the partitions hold: what was read waits for its turn to be refused. */
  #isHeldBack = false;

  constructor(options: SinkIntakeOptions) {
    this.#options = options;
    this.#sieve = options.where === null ? null : new Sieve({ ...options, where: options.where });
    const { budgetBytes } = options.pool;
    this.#smallestLoan = bufferSizeIn(budgetBytes);
    this.#mostHeldBytes = Math.min(budgetBytes * 0.75, options.batchBytes * WRITES_HELD);
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
      const feed = new PartitionFeed({ topic, partition, incarnation }, { from, saved: committed, needsFlush });
      feeds.set(partition, feed);
      subscription.seek(partition, from);
      this.#limit(feed);
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
      const bytes = Math.max(chunk.bytes.length, this.#smallestLoan) + records.inflatedBytes;
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
    const arrivedAt = monotonic();
    if (filtered !== null) this.#sieve!.add(feed, held, { wanted: filtered, arrivedAt });
    else if (records.count > 0) feed.enqueue({ chunk: held, view: records, arrivedAt });
    held.drop();
    this.proceed();
    this.#limit(feed);
  }

  /**
   * Asks the condition about what waits for that. While more may not be refused nothing is read: partitions are paused rather than the next event
   * not awaited, for a partition that is taken away has to be given up in time.
   */
  proceed(): void {
    if (this.#sieve === null) return;
    this.#sieve.proceed();
    const isHeldBack = !this.#sieve.isEmpty || !this.#options.mayRefuse();
    if (isHeldBack === this.#isHeldBack) return;
    this.#isHeldBack = isHeldBack;
    for (const feed of this.#options.feeds.values()) this.#limit(feed);
  }

  /** What the condition was not asked about is let go. */
  close(): void {
    this.#sieve?.close();
  }

  #free(feed: PartitionFeed, held: HeldChunk, chunk: FetchedChunk): void {
    feed.chunks.splice(feed.chunks.indexOf(held), 1);
    chunk.release();
    this.#limit(feed);
  }

  // A partition that waits behind a retried batch would otherwise fill the pool, and the others would wait with it.
  #limit(feed: PartitionFeed): void {
    const { subscription, feeds } = this.#options;
    if (feed.isClosing) return;
    const share = Math.max(2 * this.#smallestLoan, this.#mostHeldBytes / Math.max(1, feeds.size));
    const { heldBytes } = feed;
    if (!feed.isPaused && (this.#isHeldBack || heldBytes >= share)) {
      feed.isPaused = true;
      subscription.pause(feed.partition.partition);
    } else if (feed.isPaused && !this.#isHeldBack && heldBytes <= share / 2) {
      feed.isPaused = false;
      subscription.resume(feed.partition.partition);
    }
  }
}
