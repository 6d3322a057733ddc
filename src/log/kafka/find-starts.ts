import type { KafkaClient, KafkaTopicPartition } from '../../kafka/index.ts';
import type { SinkStates } from './sink-states.ts';
import { decideStart, type Start } from './start-rules.ts';

/** `committed`: by the group. */
export type AssignedPartition = KafkaTopicPartition & { readonly committed: number | null };

export interface PartitionStart {
  readonly partition: number;
  readonly committed: number | null;
  readonly start: Start;
}

export interface FindStartsOptions {
  readonly client: KafkaClient;
  readonly states: SinkStates;
  readonly topic: string;
  readonly partitionCount: number;
  /** Where a new sink starts. */
  readonly start: 'earliest' | 'latest';
  readonly keyed: boolean;
  readonly cut: ReadonlySet<number>;
  readonly signal: AbortSignal;
}

/** Where a sink goes on in the partitions that its group assigned, by what group, state records and log say. */
export async function findStarts(
  assigned: readonly AssignedPartition[],
  options: FindStartsOptions,
): Promise<readonly PartitionStart[]> {
  if (assigned.length === 0) return [];
  const { client, states, topic, partitionCount, start, keyed, cut, signal } = options;
  const of = { partitions: assigned.map(({ partition }) => partition), signal };
  const [known, earliest, latest] = await Promise.all([
    states.load(signal),
    client.offsets(topic, 'earliest', of),
    client.offsets(topic, 'latest', of),
  ]);
  const starts = start === 'earliest' ? earliest : await client.offsets(topic, 'stable', of);
  return assigned.map(({ partition, incarnation, committed }) => ({
    partition,
    committed,
    start: decideStart(
      {
        topic,
        partition,
        topicId: incarnation,
        partitions: partitionCount,
        committed,
        state: known.byPartition.get(partition) ?? null,
        isKnown: known.isKnown,
        isCut: cut.has(partition),
        earliest: earliest.get(partition)!,
        latest: latest.get(partition)!,
        start: starts.get(partition)!,
      },
      keyed,
    ),
  }));
}
