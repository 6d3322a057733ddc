import type { KafkaTopicPartition } from '../client.ts';
import { abortable } from '../common/abortable.ts';
import type { EventQueue } from '../common/event-queue.ts';
import type { Fetcher } from './fetcher.ts';

export interface Committed extends KafkaTopicPartition {
  /** The next offset that the group saved; null when it saved none. */
  readonly committed: number | null;
}

/** The partitions that whoever reads was told of, and tells him when they come and go. */
export class Holdings {
  readonly #queue: EventQueue;
  readonly #fetcher: Pick<Fetcher, 'forget'>;
  readonly #signal: AbortSignal;
  readonly #held = new Map<string, KafkaTopicPartition>();
  readonly #readable = new Set<string>();

  constructor(options: {
    readonly queue: EventQueue;
    readonly fetcher: Pick<Fetcher, 'forget'>;
    readonly signal: AbortSignal;
  }) {
    this.#queue = options.queue;
    this.#fetcher = options.fetcher;
    this.#signal = options.signal;
  }

  has(topic: string, partition: number): boolean {
    return this.#held.has(keyOf(topic, partition));
  }

  /** False from the moment that the partition is to be given up, whether or not whoever reads was told already. */
  mayRead(topic: string, partition: number): boolean {
    return this.#readable.has(keyOf(topic, partition));
  }

  get all(): readonly KafkaTopicPartition[] {
    return [...this.#held.values()];
  }

  take(partitions: readonly Committed[]): void {
    if (partitions.length === 0) return;
    for (const { topic, partition, incarnation } of partitions) {
      this.#held.set(keyOf(topic, partition), { topic, partition, incarnation });
      this.#readable.add(keyOf(topic, partition));
    }
    this.#queue.push({ take: () => ({ type: 'assigned', partitions }) });
  }

  /** Resolves when whoever reads has settled and saved what it had of them. Commits are taken until then. */
  async giveUp(partitions: readonly KafkaTopicPartition[]): Promise<void> {
    await this.#revoke(partitions, false);
    this.#drop(partitions);
  }

  /** All is gone: the group went on without this member. */
  async loseAll(): Promise<void> {
    const partitions = this.all;
    this.#drop(partitions);
    await this.#revoke(partitions, true);
  }

  async #revoke(partitions: readonly KafkaTopicPartition[], isLost: boolean): Promise<void> {
    if (partitions.length === 0) return;
    for (const { topic, partition } of partitions) this.#readable.delete(keyOf(topic, partition));
    this.#fetcher.forget(partitions);
    const { promise, resolve: done } = Promise.withResolvers<undefined>();
    this.#queue.push({
      take: () => ({
        type: 'revoked',
        partitions,
        isLost,
        done: () => {
          done(undefined);
        },
      }),
    });
    await abortable(promise, this.#signal);
  }

  #drop(partitions: readonly KafkaTopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#held.delete(keyOf(topic, partition));
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}
