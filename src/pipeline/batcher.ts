import type { SinkPlan } from '../config/index.ts';
import type { RecordView } from '../record/index.ts';
import type { HeldChunk } from './held-chunk.ts';
import type { PartitionFeed } from './partition-feed.ts';
import type { ViewPool } from './view-pool.ts';
import { WriteBatch } from './write-batch.ts';

type Limits = SinkPlan['batch'];

export interface Waiting {
  readonly records: number;
  readonly bytes: number;
  /** Monotonic milliseconds of the oldest arrival; Infinity when nothing waits. */
  readonly since: number;
}

/** Gathers what waits in the feeds into batches of at most so many records and, but for a single record, bytes. */
export class Batcher {
  readonly #limits: Limits;
  readonly #views: ViewPool;
  #turn = 0;

  constructor(limits: Limits, views: ViewPool) {
    this.#limits = limits;
    this.#views = views;
  }

  /** What waits in these feeds; counting ends where a batch is full. */
  waiting(feeds: readonly PartitionFeed[]): Waiting {
    let records = 0;
    let bytes = 0;
    let since = Infinity;
    for (const { queue } of feeds) {
      for (const { view, at, arrivedAt } of queue) {
        records += view.count - at;
        bytes += Math.round(view.byteLength * (1 - at / view.count));
        since = Math.min(since, arrivedAt);
      }
    }
    return { records, bytes, since };
  }

  isFull({ records, bytes }: Waiting): boolean {
    return records >= this.#limits.maxRecords || bytes >= this.#limits.maxBytes;
  }

  /** The next batch; null when nothing waits. Each call begins with another feed, so that none waits for ever. */
  take(feeds: readonly PartitionFeed[]): WriteBatch | null {
    const filled = feeds.filter(({ queue }) => queue.length > 0);
    if (filled.length === 0) return null;
    const first = this.#turn++ % filled.length;
    const ordered = [...filled.slice(first), ...filled.slice(0, first)];
    return this.#wholeChunk(ordered[0]!, filled.length) ?? this.#gather(ordered);
  }

  // The usual case of a busy leg: the chunk as it was read is the batch, and nothing is copied, not even its index.
  #wholeChunk(feed: PartitionFeed, filled: number): WriteBatch | null {
    const { view, at, chunk } = feed.queue[0]!;
    const isAlone = filled === 1 && feed.queue.length === 1;
    if (view.sealed === null && !(at === 0 && this.#fits(view, isAlone))) return null;
    const batch = new WriteBatch({ view, owner: null, views: this.#views, chunks: new Set([chunk]), feeds: [feed] });
    feed.shift();
    return batch;
  }

  #fits({ count, byteLength }: RecordView, isAlone: boolean): boolean {
    const { maxRecords, maxBytes } = this.#limits;
    const isLarge = count * 2 >= maxRecords || byteLength * 2 >= maxBytes;
    return (isAlone || isLarge) && count <= maxRecords && byteLength <= maxBytes;
  }

  /** Ends before stored batches that may pass as they are: looking into them would open them. */
  #gather(feeds: readonly PartitionFeed[]): WriteBatch {
    const view = this.#views.take();
    const chunks = new Set<HeldChunk>();
    const used: PartitionFeed[] = [];
    const spent: PartitionFeed[] = [];
    const { maxRecords, maxBytes } = this.#limits;
    let isFull = false;
    for (const feed of feeds) {
      if (isFull) break;
      if (feed.queue[0]!.view.sealed !== null) continue;
      used.push(feed);
      for (const queued of feed.queue) {
        const from = queued.view;
        if (from.sealed !== null) break;
        chunks.add(queued.chunk);
        while (queued.at < from.count && !isFull) {
          isFull =
            view.count >= maxRecords ||
            (view.count > 0 && view.byteLength + Math.max(0, from.valueLength(queued.at)) > maxBytes);
          if (!isFull) view.addFrom(from, queued.at++);
        }
        if (queued.at === from.count) spent.push(feed);
        if (isFull) break;
      }
    }
    const batch = new WriteBatch({ view, owner: this.#views, views: this.#views, chunks, feeds: used });
    // Only now: the batch must hold a chunk before its queue lets go of it.
    for (const feed of spent) feed.shift();
    return batch;
  }
}
