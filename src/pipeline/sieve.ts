import type { SluiceError } from '../api/index.ts';
import type { ViewCondition } from '../expression/index.ts';
import type { RecordView } from '../record/index.ts';
import { MAX_LETTERS } from './dead-letter-queue.ts';
import type { Stage } from './dead-letter.ts';
import type { HeldChunk } from './held-chunk.ts';
import type { PartitionFeed } from './partition-feed.ts';
import type { ViewPool } from './view-pool.ts';
import { filterRecords } from './where.ts';
import { WriteBatch } from './write-batch.ts';

export interface SieveOptions {
  readonly where: ViewCondition;
  readonly views: ViewPool;
  /** False while records that were refused before fill what may wait, or the leg is paused. */
  readonly mayRefuse: () => boolean;
  readonly now: () => number;
  readonly onDropped: (records: number) => void;
  readonly onRefused: (batch: WriteBatch, errors: readonly SluiceError[], stage: Stage) => void;
}

/** A chunk of which the records from `next` on were not looked at. */
interface Unsifted {
  readonly feed: PartitionFeed;
  readonly chunk: HeldChunk;
  readonly wanted: RecordView;
  /** Monotonic milliseconds. */
  readonly arrivedAt: number;
  next: number;
}

/** Asks the sink's condition about chunks, in steps that refuse no more records than a commit of dead letters takes, and puts what it wants into the feeds. */
export class Sieve {
  readonly #options: SieveOptions;
  readonly #unsifted: Unsifted[] = [];

  constructor(options: SieveOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#unsifted.length === 0;
  }

  /** `wanted` is an empty view that lives as long as the chunk. */
  add(feed: PartitionFeed, chunk: HeldChunk, { wanted, arrivedAt }: Pick<Unsifted, 'wanted' | 'arrivedAt'>): void {
    chunk.hold();
    this.#unsifted.push({ feed, chunk, wanted, arrivedAt, next: 0 });
  }

  /** Goes on as far as records may be refused. What belongs to partitions that are given up is let go. */
  proceed(): void {
    for (let first = this.#unsifted[0]; first !== undefined; first = this.#unsifted[0]) {
      if (first.feed.isClosing) this.#shift();
      else if (this.#options.mayRefuse()) this.#sift(first);
      else return;
    }
  }

  close(): void {
    while (!this.isEmpty) this.#shift();
  }

  #sift(unsifted: Unsifted): void {
    const { views, where, now, onDropped, onRefused } = this.#options;
    const { feed, chunk, wanted, arrivedAt } = unsifted;
    const { records } = chunk;
    const errors: SluiceError[] = [];
    const refused = views.take();
    let dropped = 0;
    unsifted.next = filterRecords(records, where, {
      from: unsifted.next,
      maxRefused: MAX_LETTERS,
      wanted,
      onDropped: (first, end) => {
        dropped += feed.watermark.finish(records.offset(first), records.offset(end - 1) + 1, 'dropped');
      },
      onRefused: (index, error) => {
        refused.addFrom(records, index);
        errors.push(error);
      },
    });
    let batch: WriteBatch | null = null;
    if (errors.length === 0) views.give(refused);
    else batch = new WriteBatch({ view: refused, owner: views, views, chunks: new Set([chunk]), feeds: [feed] });
    if (unsifted.next === records.count) {
      if (wanted.count > 0) feed.enqueue({ chunk, view: wanted, arrivedAt });
      this.#shift();
    }
    if (dropped > 0) onDropped(dropped);
    if (batch === null) return;
    batch.attempts = 1;
    batch.firstAt = now();
    onRefused(batch, errors, 'where');
  }

  #shift(): void {
    this.#unsifted.shift()!.chunk.drop();
  }
}
