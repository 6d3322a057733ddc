import {
  SluiceError,
  type CheckContext,
  type PositionChange,
  type PositionPlan,
  type PositionRequest,
  type PositionTarget,
  type PositionTools,
} from 'sluice/api';
import { openKafka, type KafkaClient, type KafkaTopic, type OffsetAt } from 'sluice/kafka';
import type { SourceOptions } from './options.ts';
import { partitionKey } from './partition-progress.ts';
import { sourceGroup } from './source-group.ts';
import { positionOf, savedPosition } from './start-offsets.ts';
import { matchTopics } from './topic-filter.ts';

/** How operators move a Kafka source. Its checkpoints are what counts: the offsets of its group follow them. */
export const positionTools: PositionTools<SourceOptions> = {
  describe(partition, position) {
    const saved = savedPosition(position, partition);
    return saved === null ? null : { place: partition, offset: saved.offset };
  },
  plan: (options, request, context) =>
    withClient(options, context, (client) => plan(client, options, { request, context })),
  inUse: (options, identity, context) =>
    withClient(options, context, async (client) => {
      const group = sourceGroup(options, identity);
      const members = (await client.describeGroup(group, context.signal))?.members ?? [];
      if (members.length === 0) return null;
      const hosts = [...new Set(members.map(({ host }) => host))].join(', ');
      return `its consumer group ${group} has ${members.length === 1 ? 'a member' : `${members.length} members`} (${hosts})`;
    }),
};

async function plan(
  client: KafkaClient,
  options: SourceOptions,
  { request, context }: { readonly request: PositionRequest; readonly context: CheckContext },
): Promise<PositionPlan> {
  const { to, place } = request;
  const changes: PositionChange[] = [];
  for (const topic of await matchTopics(client, options, context.signal)) {
    const keys = topic.partitions.map((_, partition) => partitionKey({ topic: topic.name, partition }));
    if (place === null || keys.includes(place)) changes.push(...(await moves(client, topic, { to, place, context })));
  }
  if (changes.length > 0) return { changes, left: [] };
  throw new SluiceError('OPTION_INVALID', `moving a Kafka source: it reads no ${place ?? 'topic that is there'}`);
}

async function moves(
  client: KafkaClient,
  { name: topic, incarnation, partitions }: KafkaTopic,
  {
    to,
    place,
    context: { signal },
  }: { readonly to: PositionTarget; readonly place: string | null; readonly context: CheckContext },
): Promise<PositionChange[]> {
  const numbers = [...partitions.keys()].filter(
    (partition) => place === null || place === partitionKey({ topic, partition }),
  );
  const of = { partitions: numbers, signal };
  const [starts, ends] = [await client.offsets(topic, 'earliest', of), await client.offsets(topic, 'stable', of)];
  const wanted = to.kind === 'offset' ? null : await client.offsets(topic, offsetAt(to), of);
  return numbers.map((partition) => {
    const asked = to.kind === 'offset' ? to.offset : wanted!.get(partition)!;
    const [start, end] = [starts.get(partition)!, ends.get(partition)!];
    const offset = Math.min(end, Math.max(start, asked));
    const change = {
      partition: partitionKey({ topic, partition }),
      position: positionOf({ topic, partition, incarnation }, offset),
    };
    return offset === asked
      ? change
      : { ...change, note: `${asked} is not there: the partition has ${start} to ${end}` };
  });
}

function offsetAt(to: Exclude<PositionTarget, { kind: 'offset' }>): OffsetAt {
  if (to.kind === 'time') return { timestampMs: to.timeMs };
  return to.kind === 'latest' ? 'stable' : 'earliest';
}

async function withClient<Result>(
  options: SourceOptions,
  { clock, log }: CheckContext,
  use: (client: KafkaClient) => Promise<Result>,
): Promise<Result> {
  const client = openKafka(options, { clock, log });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
