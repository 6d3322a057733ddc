import { SluiceError, type SourceContext } from 'sluice/api';
import type { KafkaClient } from 'sluice/kafka';
import type { SourceOptions } from './options.ts';
import { partitionKey, type PartitionProgress } from './partition-progress.ts';
import { matchTopics, topicFilter } from './topic-filter.ts';

/** The ends that topics had when a run with an end began, and whether they are reached, by this member or by others of its group. */
export class ReadToEnd {
  readonly #client: KafkaClient;
  readonly #group: string;
  readonly #signal: AbortSignal;
  readonly #ends: ReadonlyMap<string, number>;

  /** Throws `TOPIC_UNKNOWN` when there is nothing to read. */
  static async from(
    client: KafkaClient,
    options: SourceOptions,
    { group, context: { signal } }: { group: string; context: SourceContext },
  ): Promise<ReadToEnd> {
    const topics = await matchTopics(client, options, signal);
    if (topics.length === 0) {
      throw new SluiceError('TOPIC_UNKNOWN', `reading ${topicFilter(options).text} to its end: there is no such topic`);
    }
    const ends = new Map<string, number>();
    for (const { name } of topics) {
      const [from, to] = await Promise.all([
        client.offsets(name, 'earliest', { signal }),
        client.offsets(name, 'stable', { signal }),
      ]);
      for (const [partition, end] of to) {
        if (end > (from.get(partition) ?? 0)) ends.set(partitionKey({ topic: name, partition }), end);
      }
    }
    return new ReadToEnd(client, { group, signal, ends });
  }

  private constructor(
    client: KafkaClient,
    { group, signal, ends }: { group: string; signal: AbortSignal; ends: ReadonlyMap<string, number> },
  ) {
    this.#client = client;
    this.#group = group;
    this.#signal = signal;
    this.#ends = ends;
  }

  async isReached(progress: ReadonlyMap<string, PartitionProgress>): Promise<boolean> {
    const open = [...this.#ends].filter(([key, end]) => (progress.get(key)?.settled ?? -1) < end);
    // What this member reads it knows best; of the others the group tells.
    if (open.some(([key]) => progress.has(key))) return false;
    if (open.length === 0) return true;
    const saved = await this.#client.groupOffsets(this.#group, this.#signal);
    const next = new Map(saved.map((offset) => [partitionKey(offset), offset.next]));
    return open.every(([key, end]) => (next.get(key) ?? -1) >= end);
  }
}
