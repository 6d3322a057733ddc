import type { PartitionFeed } from './partition-feed.ts';
import type { SinkStatus } from './status.ts';

type Totals = Pick<SinkStatus, 'records' | 'read' | 'deadLettered' | 'dropped' | 'inFlight' | 'returned'>;

/** A sink's counts over all its assignments: `read` is always the sum of the others. */
export class SinkTotals {
  readonly #ended = { records: 0, read: 0, deadLettered: 0, dropped: 0, returned: 0 };
  /** Offsets of a batch that a job is at. */
  #open = 0;
  #live: ReadonlyMap<number, PartitionFeed> = new Map<number, PartitionFeed>();

  follow(feeds: ReadonlyMap<number, PartitionFeed>): void {
    this.#live = feeds;
  }

  /** A batch of so many offsets is under way. */
  open(offsets: number): void {
    this.#open += offsets;
    this.#ended.read += offsets;
  }

  /** It has come to its end; `returned`: it was given up, and begins anew in another life. */
  settle(offsets: number, as: 'records' | 'deadLettered' | 'returned'): void {
    this.#open -= offsets;
    this.#ended[as] += offsets;
  }

  /** The hub ends, and the batch goes on without it: its intent is saved, and whoever starts next finds its job. */
  leave(offsets: number): void {
    this.#open -= offsets;
    this.#ended.read -= offsets;
  }

  /** These assignments have ended, and are no longer among those that are followed. */
  close(feeds: Iterable<PartitionFeed>): void {
    for (const { watermark } of feeds) add(this.#ended, watermark.tally);
  }

  get(): Totals {
    const sum = { ...this.#ended };
    let inFlight = this.#open;
    for (const { watermark } of this.#live.values()) {
      add(sum, watermark.tally);
      inFlight += watermark.unfinished;
    }
    return { ...sum, inFlight };
  }
}

function add(
  sum: { records: number; read: number; deadLettered: number; dropped: number; returned: number },
  { read, delivered, deadLettered, dropped, returned }: PartitionFeed['watermark']['tally'],
): void {
  sum.read += read;
  sum.records += delivered;
  sum.deadLettered += deadLettered;
  sum.dropped += dropped;
  sum.returned += returned;
}
