import { describeError } from '../../api/index.ts';
import type { KafkaClient, KafkaTopic, NewKafkaTopic } from '../../kafka/index.ts';
import { CHECKPOINT_TOPIC, WANTED_CHECKPOINT_TOPIC } from './checkpoint-topic.ts';
import { sinkGroup } from './identities.ts';
import { hasCode } from './log-errors.ts';
import type { KafkaLogPlan } from './options.ts';
import { deadLetterTopic, pipelineTopic } from './topic-table.ts';

/** What was found about a topic or a consumer group, in words. */
export interface KafkaLogFinding {
  readonly about: string;
  readonly message: string;
  readonly severity: 'error' | 'warning' | 'note';
}

export interface CheckKafkaLogOptions {
  readonly client: KafkaClient;
  readonly group: string;
  readonly plan: KafkaLogPlan;
  readonly sinks: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Looks whether the log of a pipeline could be opened on a cluster, and what would be lost there. Changes nothing: what only a start would show (the right to
 * use a transactional id, to write) is not seen. Rejects with what the client rejects with, but for `KAFKA_DENIED` and `KAFKA_REFUSED`, which are findings.
 */
export async function checkKafkaLog(options: CheckKafkaLogOptions): Promise<readonly KafkaLogFinding[]> {
  const { plan, sinks, group, client, signal } = options;
  const { topic, deadLetter, sources } = plan;
  const wanted = [
    { name: topic.name, create: sources.length === 0 ? null : pipelineTopic(topic) },
    ...(deadLetter === null ? [] : [{ name: deadLetter.topic, create: deadLetterTopic(deadLetter.topic, topic) }]),
    { name: CHECKPOINT_TOPIC, create: WANTED_CHECKPOINT_TOPIC },
  ];
  const findings: KafkaLogFinding[] = [];
  for (const { name, create } of wanted)
    findings.push(...(await guarded(`topic ${name}`, () => checkTopic(name, create, options))));
  for (const sink of sinks) {
    const name = sinkGroup({ group, pipeline: plan.pipeline, hubId: '' }, sink);
    findings.push(
      ...(await guarded(`consumer group ${name}`, async () => {
        await client.groupOffsets(name, signal);
        return [];
      })),
    );
  }
  return findings;
}

async function guarded(about: string, check: () => Promise<KafkaLogFinding[]>): Promise<KafkaLogFinding[]> {
  try {
    return await check();
  } catch (error) {
    if (!hasCode(error, 'KAFKA_DENIED', 'KAFKA_REFUSED')) throw error;
    const remedy = hasCode(error, 'KAFKA_DENIED') ? '; have it allowed to this user (kafka-acls)' : '';
    return [{ about, message: `${describeError(error)}${remedy}`, severity: 'error' }];
  }
}

async function checkTopic(
  name: string,
  create: NewKafkaTopic | null,
  { client, plan, signal }: CheckKafkaLogOptions,
): Promise<KafkaLogFinding[]> {
  const about = `topic ${name}`;
  const [found] = await client.topics([name], signal);
  if (found !== undefined)
    return [note(about, shapeOf(found)), ...(await checkSettings(about, found, { client, create, plan, signal }))];
  if (create === null) {
    const message = 'it does not exist, and the pipeline has no sources: it waits until somebody makes it';
    return [{ about, message, severity: 'warning' }];
  }
  await client.createTopic({ ...create, validateOnly: true }, signal);
  return [note(about, 'will be created')];
}

async function checkSettings(
  about: string,
  found: KafkaTopic,
  {
    client,
    create,
    plan,
    signal,
  }: Pick<CheckKafkaLogOptions, 'client' | 'plan' | 'signal'> & { create: NewKafkaTopic | null },
): Promise<KafkaLogFinding[]> {
  const findings: KafkaLogFinding[] = [];
  const warn = (message: string): unknown => findings.push({ about, message, severity: 'warning' });
  const partitions = found.partitions.length;
  if (found.name === plan.topic.name && create !== null && create.partitions !== partitions)
    warn(`it has ${partitions} partitions, the pipeline says ${create.partitions}: its own are used`);
  let config: ReadonlyMap<string, string>;
  try {
    config = await client.topicConfig(found.name, signal);
  } catch (error) {
    if (!hasCode(error, 'KAFKA_DENIED')) throw error;
    return [...findings, note(about, 'its settings may not be looked at')];
  }
  const replicas = found.partitions[0]?.replicas ?? 1;
  if (replicas > 1 && config.get('min.insync.replicas') === '1')
    warn(`acknowledged records may be lost with one broker of ${replicas}: set its min.insync.replicas to 2`);
  const [takes, needed] = [config.get('max.message.bytes'), create?.config?.['max.message.bytes']];
  if (Number(takes) < Number(needed))
    warn(
      `it refuses batches above ${takes} bytes, ${needed} are needed: raise its max.message.bytes or lower \`max_record\``,
    );
  return findings;
}

function shapeOf({ partitions }: KafkaTopic): string {
  const counted = partitions.length === 1 ? '1 partition' : `${partitions.length} partitions`;
  return `exists: ${counted}, replication ${partitions[0]?.replicas ?? 0}`;
}

function note(about: string, message: string): KafkaLogFinding {
  return { about, message, severity: 'note' };
}
