import { SluiceError, type Position } from '../../api/index.ts';
import { bySink, type SavedChanges } from '../saved-changes.ts';
import { encodeCheckpoints } from './checkpoint-record.ts';
import { CHECKPOINT_TOPIC, CheckpointTopic } from './checkpoint-topic.ts';
import { sendAll } from './checkpoint-writer.ts';
import { assertIdle, type ForgetOptions } from './forget.ts';
import { sinkGroup, sourcePrefix, transactionalId, type SourceIdentity } from './identities.ts';
import { SinkStates } from './sink-states.ts';
import type { SinkState } from './start-rules.ts';

export interface ChangeKafkaOptions extends ForgetOptions {
  /** Whose positions are written under their transactional ids: a hub that runs unnoticed is fenced. Others are written as they are. */
  readonly sources: readonly SourceIdentity[];
}

type SinkChanges = SavedChanges['sinks'];
type SourceChanges = SavedChanges['sources'];

/**
 * Moves sinks and sources of a pipeline that no hub runs. Rejects with `KAFKA_REFUSED` while a consumer group of it has members, and with `TOPIC_CHANGED` when
 * offsets are of another topic than the one that is there.
 */
export async function changeKafkaState(options: ChangeKafkaOptions, changes: SavedChanges): Promise<void> {
  await assertIdle(options, options.sinks);
  const checkpoints = await CheckpointTopic.open(options, options.signal);
  for (const [sink, moves] of bySink(changes.sinks)) await moveSink(options, { sink, moves, checkpoints });
  const names = new Set(changes.sources.map(({ source }) => source));
  for (const name of names) {
    const moves = changes.sources.filter(({ source }) => source === name);
    await moveSource(options, { name, moves, checkpoints });
  }
}

/** First the group, then the states: what is cut off in between looks like offsets that an operator set, and is obeyed too. */
async function moveSink(
  options: ChangeKafkaOptions,
  {
    sink,
    moves,
    checkpoints,
  }: { readonly sink: string; readonly moves: SinkChanges; readonly checkpoints: CheckpointTopic },
): Promise<void> {
  const { client, clock, log, signal } = options;
  const owner = { ...options.owner, hubId: '' };
  const { topic } = moves[0]!;
  const [found] = await client.topics([topic], signal);
  if (found === undefined || moves.some(({ incarnation }) => incarnation !== found.incarnation))
    throw new SluiceError(
      'TOPIC_CHANGED',
      `moving sink "${sink}": topic "${topic}" is not the one any more that the offsets are of`,
    );
  const producer = await client.openProducer({ signal });
  try {
    const states = new SinkStates({ owner, sink, topic, checkpoints, producer, now: () => clock.now(), log });
    const { byPartition } = await states.load(signal);
    const [{ incarnation: topicId }, partitions] = [found, found.partitions.length];
    const moved = moves.map(({ partition, next }): [number, SinkState] => {
      const before = byPartition.get(partition);
      const cuts = before?.topicId === topicId ? before.cuts : 0;
      return [partition, { topicId, partitions, next, reset: (before?.reset ?? 0) + 1, cuts }];
    });
    const offsets = moves.map(({ partition, next }) => ({ topic, partition, next }));
    await client.setGroupOffsets(sinkGroup(owner, sink), offsets, signal);
    await states.save(moved);
  } finally {
    await producer.close();
  }
}

async function moveSource(
  options: ChangeKafkaOptions,
  {
    name,
    moves,
    checkpoints,
  }: { readonly name: string; readonly moves: SourceChanges; readonly checkpoints: CheckpointTopic },
): Promise<void> {
  const identity = options.sources.find((one) => one.name === name);
  if (identity?.placement !== 'host') {
    await writePositions(options, { name, moves, checkpoints, identity, hubId: '' });
    return;
  }
  // Of each hub that reads files of its host the id is in front.
  const hubs = new Set(moves.map(({ partition }) => hubOf(partition)));
  for (const hubId of hubs) {
    const own = moves.filter(({ partition }) => hubOf(partition) === hubId);
    await writePositions(options, { name, moves: own, checkpoints, identity, hubId });
  }
}

async function writePositions(
  { client, clock, signal, ...options }: ChangeKafkaOptions,
  {
    name,
    moves,
    checkpoints,
    identity,
    hubId,
  }: {
    readonly name: string;
    readonly moves: SourceChanges;
    readonly checkpoints: CheckpointTopic;
    readonly identity: SourceIdentity | undefined;
    readonly hubId: string;
  },
): Promise<void> {
  const owner = { ...options.owner, hubId };
  const prefix = sourcePrefix(owner, name);
  const records = moves.map(
    ({ partition, position }): [string, Position | null] => [`${prefix}${partition}`, position] as const,
  );
  const partition = checkpoints.partitionOf(prefix);
  const batches = encodeCheckpoints(records, clock.now()).map((bytes) => ({
    topic: CHECKPOINT_TOPIC,
    partition,
    bytes,
  }));
  const isFenced = identity !== undefined && isRunOnce(identity) && (await client.features(signal)).transactions;
  const producer = await client.openProducer({
    ...(isFenced ? { transactionalId: transactionalId(owner, identity) } : {}),
    signal,
  });
  try {
    await sendAll(producer, batches);
    if (isFenced) await producer.commitTransaction();
  } finally {
    await producer.close();
  }
}

/** By one hub at a time, for all of its input or for that on its host. */
function isRunOnce({ placement }: SourceIdentity): boolean {
  return placement === 'host' || placement === 'once';
}

function hubOf(partition: string): string {
  return partition.slice(0, partition.indexOf('/'));
}
