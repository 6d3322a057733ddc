import { SluiceError, type Clock, type Logger } from '../../api/index.ts';
import type { KafkaClient } from '../../kafka/index.ts';
import { encodeCheckpoints } from './checkpoint-record.ts';
import { CHECKPOINT_TOPIC, CheckpointTopic } from './checkpoint-topic.ts';
import { sendAll } from './checkpoint-writer.ts';
import { sinkGroup, sinkPrefix, sourcePrefix, type Owner } from './identities.ts';

export interface ForgetOptions {
  readonly client: KafkaClient;
  readonly owner: Pick<Owner, 'group' | 'pipeline'>;
  /** The sinks of the pipeline, by which it shows that it runs. */
  readonly sinks: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Deletes the consumer group of a sink, and its records: it starts anew. False when nothing is saved. Rejects with `KAFKA_REFUSED` while a hub runs it. */
export async function forgetKafkaSink(options: ForgetOptions, sink: string): Promise<boolean> {
  const { client, signal } = options;
  const owner = { ...options.owner, hubId: '' };
  const group = sinkGroup(owner, sink);
  await assertIdle(options, [sink]);
  const hadOffsets = (await client.groupOffsets(group, signal)).length > 0;
  await client.deleteGroup(group, signal);
  const hadRecords = await deleteKeys(options, sinkPrefix(owner, sink));
  return hadOffsets || hadRecords;
}

/** Deletes the positions of a source, of all hubs. Likewise. */
export async function forgetKafkaSource(options: ForgetOptions, source: string): Promise<boolean> {
  const owner = { ...options.owner, hubId: '' };
  await assertIdle(options, options.sinks);
  return deleteKeys(options, sourcePrefix(owner, source));
}

/** Rejects with `KAFKA_REFUSED` when a hub runs the pipeline: its sinks are members of their groups then. */
export async function assertIdle({ client, owner, signal }: ForgetOptions, sinks: readonly string[]): Promise<void> {
  for (const sink of sinks) {
    const group = sinkGroup({ ...owner, hubId: '' }, sink);
    const members = (await client.describeGroup(group, signal))?.members ?? [];
    if (members.length === 0) continue;
    const hosts = [...new Set(members.map(({ host }) => host))].join(', ');
    throw new SluiceError(
      'KAFKA_REFUSED',
      `changing what is saved of pipeline "${owner.pipeline}": the consumer group ${group} has ${members.length === 1 ? 'a member' : `${members.length} members`} (${hosts}); stop every hub of group ${owner.group} that runs it, and wait until its session ended`,
    );
  }
}

async function deleteKeys({ client, clock, log, signal }: ForgetOptions, prefix: string): Promise<boolean> {
  const [topic] = await client.topics([CHECKPOINT_TOPIC], signal);
  if (topic === undefined) return false;
  const checkpoints = new CheckpointTopic({ client, clock, log }, topic.partitions.length);
  const found = await checkpoints.read(prefix, prefix, signal);
  if (found.size === 0) return false;
  const partition = checkpoints.partitionOf(prefix);
  const deletions = encodeCheckpoints(
    [...found.keys()].map((name) => [`${prefix}${name}`, null] as const),
    clock.now(),
  );
  const producer = await client.openProducer({ signal });
  try {
    await sendAll(
      producer,
      deletions.map((bytes) => ({ topic: CHECKPOINT_TOPIC, partition, bytes })),
    );
  } finally {
    await producer.close();
  }
  return true;
}
