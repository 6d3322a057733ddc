import type { KafkaClient } from '../../../src/kafka/index.ts';
import { lifeOf, recordsIn } from './indexed.ts';

/** The consumer group of a sink. */
export function groupOf(pipeline: string, sink: string): string {
  return `sluice.default.${pipeline}.sink.${sink}`;
}

/** What a group has committed of a topic, by partition. */
export async function committed(client: KafkaClient, group: string, topic: string): Promise<readonly number[]> {
  const next: number[] = [];
  for (const offset of await client.groupOffsets(group))
    if (offset.topic === topic) next[offset.partition] = offset.next;
  return next;
}

/** So many records are in the topic, and every group has committed the end of each partition. */
export async function isThrough(
  client: KafkaClient,
  { topic, groups, records }: { topic: string; groups: readonly string[]; records: number },
): Promise<boolean> {
  const life = await lifeOf(client, topic);
  if (life === null || recordsIn(life) < records) return false;
  const positions = await Promise.all(groups.map((group) => committed(client, group, topic)));
  return positions.every((next) => life.ends.every((end, partition) => (next[partition] ?? 0) >= end));
}
