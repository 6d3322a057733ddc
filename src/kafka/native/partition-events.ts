import type { SluiceError } from '../../api/index.ts';
import { backOff } from '../common/back-off.ts';
import type { Cluster } from './cluster.ts';
import type { EventQueue, QueuedEvent } from '../common/event-queue.ts';
import type { FetchPartition } from './fetch-partition.ts';

export interface PartitionEventsOptions {
  readonly cluster: Cluster;
  readonly queue: EventQueue;
  readonly signal: AbortSignal;
  /** Something may be fetched that could not be before. */
  readonly onFree: () => void;
}

/** What partitions have to say, one thing at a time each. */
export class PartitionEvents {
  readonly #options: PartitionEventsOptions;

  constructor(options: PartitionEventsOptions) {
    this.#options = options;
  }

  /** Until it is taken nothing more of the partition is fetched. */
  add(partition: FetchPartition, { take, drop }: QueuedEvent): void {
    partition.queued = {
      take: () => {
        partition.queued = null;
        return take();
      },
      drop: () => {
        partition.queued = null;
        drop?.();
      },
    };
    this.#options.queue.push(partition.queued);
  }

  takeBack(partition: FetchPartition): void {
    if (partition.queued !== null) this.#options.queue.remove(partition.queued);
  }

  /** Waiting does not mend it: whoever reads is told, and may try again. */
  fault(partition: FetchPartition, error: SluiceError): void {
    this.add(partition, {
      take: () => {
        this.delay(partition, error);
        throw error;
      },
    });
  }

  /** It is tried again a little later. */
  delay(partition: FetchPartition, error: SluiceError): void {
    const { cluster, signal, onFree } = this.#options;
    partition.failed(error.message);
    partition.rests++;
    cluster.clock.sleep(backOff(partition.failures), signal).then(
      () => {
        partition.rests--;
        onFree();
      },
      () => undefined,
    );
  }
}
