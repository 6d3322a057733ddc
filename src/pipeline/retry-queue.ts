import type { PartitionFeed } from './partition-feed.ts';
import type { WriteBatch } from './write-batch.ts';

/** Batches that are to be written once more, in the order in which they must be. */
export class RetryQueue {
  readonly #keepsOrder: boolean;
  #batches: WriteBatch[] = [];

  /** `keepsOrder`: records of a partition are written one batch after the other. */
  constructor(options: { keepsOrder: boolean }) {
    this.#keepsOrder = options.keepsOrder;
  }

  get first(): WriteBatch | undefined {
    return this.#batches[0];
  }

  /** In front of what waits: these records are older. */
  putBack(batches: readonly WriteBatch[]): void {
    for (const { feeds } of batches) for (const feed of feeds) feed.batches++;
    this.#batches.unshift(...batches);
  }

  /** The first that may be written now. */
  take(now: number): WriteBatch | null {
    const behind = new Set<PartitionFeed>();
    for (const [at, batch] of this.#batches.entries()) {
      const isFree = !this.#keepsOrder || batch.feeds.every((feed) => feed.writing === 0 && !behind.has(feed));
      if (isFree && batch.notBefore <= now) {
        this.#batches.splice(at, 1);
        for (const feed of batch.feeds) feed.batches--;
        return batch;
      }
      for (const feed of batch.feeds) behind.add(feed);
    }
    return null;
  }

  /** The earliest time after `now` at which another may be written; Infinity when there is none. */
  nextAt(now: number): number {
    let next = Infinity;
    for (const { notBefore } of this.#batches) if (notBefore > now) next = Math.min(next, notBefore);
    return next;
  }

  /** Drops the records of assignments that are closing. */
  forgetClosing(): void {
    this.#batches = this.#batches.flatMap((batch) => {
      if (!batch.feeds.some(({ isClosing }) => isClosing)) return [batch];
      const rest = batch.select(Array.from({ length: batch.count }, (_, index) => index));
      if (rest !== null) {
        rest.notBefore = batch.notBefore;
        rest.reason = batch.reason;
        for (const feed of rest.feeds) feed.batches++;
      }
      for (const feed of batch.feeds) feed.batches--;
      batch.release();
      return rest === null ? [] : [rest];
    });
  }

  clear(): void {
    for (const batch of this.#batches.splice(0)) {
      for (const feed of batch.feeds) feed.batches--;
      batch.release();
    }
  }
}
