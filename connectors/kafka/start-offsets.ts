import { SluiceError, type Json, type Position, type SourceContext, type SourceFence } from 'sluice/api';
import type { KafkaClient, KafkaTopicPartition } from 'sluice/kafka';
import type { SourceOptions } from './options.ts';
import { partitionKey } from './partition-progress.ts';

export type Assigned = KafkaTopicPartition & { readonly committed: number | null };

/** The position of a partition as it is saved with the records. */
export function positionOf({ incarnation }: KafkaTopicPartition, offset: number): Position {
  return { offset, incarnation };
}

/**
 * Where each partition goes on: at its checkpoint, else at the group's offset, else where `start` says. A topic that was recreated since the checkpoint begins
 * anew, and a warning says so.
 */
export async function startOffsets(
  partitions: readonly Assigned[],
  {
    client,
    context,
    start,
    fence,
  }: { client: KafkaClient; context: SourceContext; start: SourceOptions['start']; fence: SourceFence },
): Promise<ReadonlyMap<string, number>> {
  const saved = await context.load(partitions.map(partitionKey), fence);
  const offsets = new Map<string, number>();
  for (const assigned of partitions) {
    const key = partitionKey(assigned);
    const position = savedPosition(saved.get(key), key);
    if (position === null) {
      offsets.set(key, assigned.committed ?? (await startOf(assigned, client, { start, signal: context.signal })));
    } else if (position.incarnation === assigned.incarnation) {
      offsets.set(key, position.offset);
    } else {
      context.log.warn(
        { topic: assigned.topic, partition: assigned.partition, savedOffset: position.offset },
        'topic was recreated since the checkpoint, reading the new one from its beginning',
      );
      offsets.set(key, await startOf(assigned, client, { start: 'earliest', signal: context.signal }));
    }
  }
  return offsets;
}

/** Null for nothing. Throws `SOURCE_FAILED` for something else: going on without it would read everything again, or nothing. */
export function savedPosition(saved: Json | undefined, key: string): { offset: number; incarnation: string } | null {
  if (saved === undefined) return null;
  if (saved !== null && typeof saved === 'object' && 'offset' in saved && 'incarnation' in saved) {
    const { offset, incarnation } = saved;
    if (Number.isSafeInteger(offset) && typeof incarnation === 'string')
      return { offset: offset as number, incarnation };
  }
  throw new SluiceError(
    'SOURCE_FAILED',
    `going on at the saved position ${JSON.stringify(saved)} of ${key}: it is none`,
  );
}

async function startOf(
  { topic, partition }: Assigned,
  client: KafkaClient,
  { start, signal }: { start: SourceOptions['start']; signal: AbortSignal },
): Promise<number> {
  const { time, offsets } = typeof start === 'string' ? {} : start;
  const wanted = offsets?.[partitionKey({ topic, partition })];
  if (wanted !== undefined) return wanted;
  const named = typeof start === 'string' ? start : 'earliest';
  const at = time === undefined ? named : { timestampMs: Date.parse(time) };
  const found = await client.offsets(topic, at, { partitions: [partition], signal });
  return found.get(partition) ?? 0;
}
