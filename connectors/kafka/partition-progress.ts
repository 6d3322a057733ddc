import type { KafkaTopicPartition } from 'sluice/kafka';

/** One assignment of a partition to this source: what of it is durable in the pipeline's topic. */
export class PartitionProgress {
  readonly partition: KafkaTopicPartition;
  /** Emits of a partition settle in their order: below it everything is durable. */
  settled: number;
  /** The next offset that the group knows. */
  committed: number | null;
  #unsettled = 0;
  #onIdle: (() => void) | null = null;

  constructor(partition: KafkaTopicPartition, from: number, committed: number | null) {
    this.partition = partition;
    this.settled = from;
    this.committed = committed;
  }

  get key(): string {
    return partitionKey(this.partition);
  }

  begin(): void {
    this.#unsettled++;
  }

  /** `next`: durable up to there; null: refused. */
  end(next: number | null): void {
    // What settled together may be told in another order.
    if (next !== null) this.settled = Math.max(this.settled, next);
    if (--this.#unsettled === 0) this.#onIdle?.();
  }

  /** Resolves when nothing is on its way. One call at a time. */
  idle(): Promise<void> {
    if (this.#unsettled === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }
}

/** How a partition is called in checkpoints, options and messages. */
export function partitionKey({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}
