import type { RecordView } from '../record/index.ts';
import type { HeldChunk } from './held-chunk.ts';
import type { PartitionFeed } from './partition-feed.ts';
import type { ViewPool } from './view-pool.ts';
import type { Outcome } from './watermark.ts';

interface WriteBatchOptions {
  readonly view: RecordView;
  /** Where the view goes back to; null when it is a chunk's own. */
  readonly owner: ViewPool | null;
  readonly views: ViewPool;
  readonly chunks: ReadonlySet<HeldChunk>;
  readonly feeds: readonly PartitionFeed[];
}

/** Records for one write, with what they came from: late acknowledgements find the assignment that they belong to. */
export class WriteBatch {
  readonly view: RecordView;
  readonly feeds: readonly PartitionFeed[];
  /** Writes begun so far, of these records. */
  attempts = 0;
  /** Milliseconds since the epoch of the first attempt. */
  firstAt = 0;
  /** Monotonic milliseconds. */
  notBefore = 0;
  /** Why it has to be written once more, for people. */
  reason: string | null = null;
  /** The sink throws on some record of it; the next throw halves it at once. */
  isBisected = false;
  readonly #options: WriteBatchOptions;

  constructor(options: WriteBatchOptions) {
    this.#options = options;
    this.view = options.view;
    this.feeds = options.feeds;
    for (const chunk of options.chunks) chunk.hold();
  }

  get count(): number {
    return this.view.count;
  }

  /** The assignment that a record belongs to. */
  feedOf(index: number): PartitionFeed {
    const run = this.view.runs.find(({ first, count }) => index >= first && index < first + count);
    return this.#feed(run!.partition);
  }

  /** Another batch of these records, in their order; null when there are none, or all their assignments have ended. */
  select(indexes: Iterable<number>): WriteBatch | null {
    const { views, chunks } = this.#options;
    const view = views.take();
    const feeds = new Set<PartitionFeed>();
    for (const index of indexes) {
      const feed = this.feedOf(index);
      if (feed.isClosing) continue;
      feeds.add(feed);
      view.addFrom(this.view, index);
    }
    if (view.count === 0) {
      views.give(view);
      return null;
    }
    const part = new WriteBatch({ view, owner: views, views, chunks, feeds: [...feeds] });
    part.attempts = this.attempts;
    part.firstAt = this.firstAt;
    part.isBisected = this.isBisected;
    return part;
  }

  /** Records [first, end) came to an end; returns how many of them had not before. */
  finish(first: number, end: number, outcome: Outcome): number {
    let finished = 0;
    for (const run of this.view.runs) {
      const from = Math.max(first, run.first);
      const to = Math.min(end, run.first + run.count);
      if (from < to) finished += this.#finishRun(this.#feed(run.partition), from, to, outcome);
    }
    return finished;
  }

  /** The write is over: nobody looks at the bytes any more. */
  release(): void {
    const { view, owner, chunks } = this.#options;
    owner?.give(view);
    for (const chunk of chunks) chunk.drop();
  }

  // Offsets that are missing between two records may be somebody else's: records that were refused, or wait for another attempt.
  #finishRun(feed: PartitionFeed, from: number, to: number, outcome: Outcome): number {
    const { view } = this;
    const { watermark } = feed;
    if (view.offset(to - 1) - view.offset(from) === to - 1 - from) {
      return watermark.finish(view.offset(from), view.offset(to - 1) + 1, outcome);
    }
    let finished = 0;
    let start = view.offset(from);
    let next = start + 1;
    for (let index = from + 1; index < to; index++) {
      const offset = view.offset(index);
      if (offset !== next) {
        finished += watermark.finish(start, next, outcome);
        start = offset;
      }
      next = offset + 1;
    }
    return finished + watermark.finish(start, next, outcome);
  }

  #feed(partition: number): PartitionFeed {
    return this.feeds.find((feed) => feed.partition.partition === partition)!;
  }
}
