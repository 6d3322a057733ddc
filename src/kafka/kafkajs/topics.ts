import { SluiceError } from '../../api/index.ts';
import type { KafkaTopic, NewKafkaTopic, OffsetAt, OffsetsOptions } from '../client.ts';
import { unknownTopic, type KafkajsCluster } from './cluster.ts';
import type { BrokerConnection } from './connection.ts';
import { protocolError, throwOnCode, topicError } from '../common/errors.ts';
import { isCode } from './errors.ts';
import { listOffsets } from './list-offsets.ts';

const UNKNOWN_TOPIC = 3;
const LEADER_NOT_AVAILABLE = 5;
const REQUEST_TIMED_OUT = 7;
const ALREADY_EXISTS = 36;
const INVALID_PARTITIONS = 37;
const INVALID_REPLICATION_FACTOR = 38;
const TOPIC = 2;
const BROKER = 4;
/** Of a setting: it was made for this topic. */
const TOPIC_CONFIG = 1;
/** How long a broker may take to make or remove a topic before it answers. */
const WITHIN_MS = 5000;

export async function listTopics(
  cluster: KafkajsCluster,
  names: readonly string[] | null,
  signal?: AbortSignal,
): Promise<readonly KafkaTopic[]> {
  const { topics } = await cluster.retrying('listing topics', (either) => cluster.ask(names, either), { signal });
  for (const { name, errorCode } of topics)
    if (![0, UNKNOWN_TOPIC, LEADER_NOT_AVAILABLE].includes(errorCode))
      throwOnCode(errorCode, `looking up topic ${JSON.stringify(name)}`);
  return topics
    .filter(({ errorCode }) => errorCode === 0)
    .map(({ name, incarnation, isInternal, partitions }) => ({ name, incarnation, isInternal, partitions }));
}

export async function topicOffsets(
  cluster: KafkajsCluster,
  topic: string,
  at: OffsetAt,
  { partitions, signal }: OffsetsOptions,
): Promise<ReadonlyMap<number, number>> {
  const doing = `listing offsets of topic ${JSON.stringify(topic)}`;
  return cluster.retrying(
    doing,
    async (either) => {
      const known = await cluster.topic(topic, { signal: either });
      const wanted = partitions ?? [...known.partitions.keys()];
      const byNode = new Map<number, number[]>();
      for (const partition of wanted) {
        const node = await cluster.leader(topic, partition, { signal: either });
        byNode.set(node, [...(byNode.get(node) ?? []), partition]);
      }
      const found = await Promise.all(
        [...byNode].map(async ([node, led]) =>
          listOffsets(await cluster.connection({ node }, 'control', either), topic, led, at),
        ),
      );
      return new Map(found.flatMap((offsets) => [...offsets]).sort(([left], [right]) => left - right));
    },
    { signal },
  );
}

interface TopicErrors {
  readonly topicErrors: readonly { readonly errorCode: number; readonly errorMessage?: string | null }[];
}

export async function createTopic(
  cluster: KafkajsCluster,
  topic: NewKafkaTopic,
  signal?: AbortSignal,
): Promise<boolean> {
  const doing = `creating topic ${JSON.stringify(topic.name)}`;
  const isMade = await cluster.retrying(
    doing,
    async (either) => {
      const broker = await cluster.connection('controller', 'control', either);
      const code = await create(broker, topic, doing);
      const isDefaulted = topic.partitions < 0 || topic.replicationFactor < 0;
      if (!isDefaulted || ![INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR].includes(code)) return judge(code, doing);
      // Brokers before 2.4 do not fill in their own defaults.
      return judge(
        await create(broker, { ...topic, ...(await defaultsOf(broker, topic, { cluster, signal: either })) }, doing),
        doing,
      );
    },
    { signal },
  );
  if (isMade && topic.validateOnly !== true) await untilLed(cluster, topic.name, signal);
  return isMade;
}

async function create(broker: BrokerConnection, topic: NewKafkaTopic, doing: string): Promise<number> {
  const configEntries = Object.entries(topic.config ?? {}).map(([name, value]) => ({ name, value }));
  const wanted = {
    topic: topic.name,
    numPartitions: topic.partitions,
    replicationFactor: topic.replicationFactor,
    configEntries,
  };
  const answer = await broker.call<TopicErrors>(
    'CreateTopics',
    { topics: [wanted], validateOnly: topic.validateOnly ?? false, timeout: WITHIN_MS },
    doing,
  );
  const [{ errorCode, errorMessage } = { errorCode: 0, errorMessage: null }] = answer.topicErrors;
  if ([0, ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR].includes(errorCode)) return errorCode;
  throw protocolError(errorCode, doing, errorMessage ?? null);
}

function judge(code: number, doing: string): boolean {
  if (code === ALREADY_EXISTS) return false;
  throwOnCode(code, doing);
  return true;
}

async function defaultsOf(
  broker: BrokerConnection,
  topic: NewKafkaTopic,
  { cluster, signal }: { cluster: KafkajsCluster; signal: AbortSignal },
): Promise<Pick<NewKafkaTopic, 'partitions' | 'replicationFactor'>> {
  const doing = `creating topic ${JSON.stringify(topic.name)}`;
  if (broker.version('DescribeConfigs') < 0) {
    const message = `${doing}: brokers of this age do not tell their defaults; give the number of partitions and the replication factor`;
    throw new SluiceError('KAFKA_UNSUPPORTED', message);
  }
  const { brokers, controller } = await cluster.ask([], signal);
  const entries = await describeConfig(
    broker,
    { type: BROKER, name: String(brokers.some(({ id }) => id === controller) ? controller : brokers[0]!.id) },
    doing,
  );
  const number = (name: string): number =>
    Number(entries.find(({ configName }) => configName === name)?.configValue ?? 1);
  return {
    partitions: topic.partitions < 0 ? number('num.partitions') : topic.partitions,
    replicationFactor: topic.replicationFactor < 0 ? number('default.replication.factor') : topic.replicationFactor,
  };
}

/** The answer to a creation comes before the other brokers know of it. */
async function untilLed(cluster: KafkajsCluster, name: string, signal?: AbortSignal): Promise<void> {
  const doing = `waiting for the leaders of topic ${JSON.stringify(name)}`;
  await cluster.retrying(
    doing,
    async (either) => {
      const [topic] = (await cluster.ask([name], either)).topics;
      const isLed =
        topic?.errorCode === 0 && topic.partitions.length > 0 && topic.partitions.every(({ leader }) => leader >= 0);
      if (!isLed) throw topicError(LEADER_NOT_AVAILABLE, name, doing);
    },
    { signal },
  );
}

export async function deleteTopic(cluster: KafkajsCluster, name: string, signal?: AbortSignal): Promise<void> {
  const doing = `deleting topic ${JSON.stringify(name)}`;
  await cluster.retrying(
    doing,
    async (either) => {
      const broker = await cluster.connection('controller', 'control', either);
      const answer = await broker.call<TopicErrors>('DeleteTopics', { topics: [name], timeout: WITHIN_MS }, doing);
      for (const { errorCode } of answer.topicErrors) if (errorCode !== UNKNOWN_TOPIC) throwOnCode(errorCode, doing);
      const { topics } = await cluster.ask([name], either);
      if (topics.some(({ errorCode }) => errorCode !== UNKNOWN_TOPIC))
        throw protocolError(REQUEST_TIMED_OUT, doing, 'it is being deleted');
    },
    { signal },
  );
}

interface ConfigEntry {
  readonly configName: string;
  readonly configValue: string | null;
  readonly configSource: number;
}

interface Resource {
  readonly type: number;
  readonly name: string;
}

async function describeConfig(
  broker: BrokerConnection,
  resource: Resource,
  doing: string,
): Promise<readonly ConfigEntry[]> {
  const answer = await broker.call<{
    resources: readonly {
      readonly errorCode: number;
      readonly errorMessage: string | null;
      readonly configEntries: readonly ConfigEntry[];
    }[];
  }>('DescribeConfigs', { resources: [resource], includeSynonyms: false }, doing);
  const [found] = answer.resources;
  throwOnCode(found?.errorCode ?? 0, doing, found?.errorMessage ?? null);
  return found?.configEntries ?? [];
}

export async function topicConfig(
  cluster: KafkajsCluster,
  name: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const entries = await configEntries(cluster, name, signal);
  return new Map(
    entries.flatMap(({ configName, configValue }) => (configValue === null ? [] : [[configName, configValue]])),
  );
}

/**
 * kafkajs knows only the request that sets back whatever it does not name: what was set before is read and sent along. A change by somebody else in between is
 * lost. Resolves when a broker shows the changes, or the next call would set back these.
 */
export async function alterTopicConfig(
  cluster: KafkajsCluster,
  name: string,
  changes: Readonly<Record<string, string | null>>,
  signal?: AbortSignal,
): Promise<void> {
  const doing = `changing the configuration of topic ${JSON.stringify(name)}`;
  const wanted = ownSettings(await configEntries(cluster, name, signal));
  for (const [setting, value] of Object.entries(changes)) {
    if (value === null) wanted.delete(setting);
    else wanted.set(setting, value);
  }
  const entries = [...wanted].map(([setting, value]) => ({ name: setting, value }));
  await cluster.retrying(
    doing,
    async (either) => {
      const broker = await cluster.connection('controller', 'control', either);
      const answer = await broker.call<{
        resources: readonly { readonly errorCode: number; readonly errorMessage: string | null }[];
      }>('AlterConfigs', { resources: [{ type: TOPIC, name, configEntries: entries }], validateOnly: false }, doing);
      for (const { errorCode, errorMessage } of answer.resources) throwOnCode(errorCode, doing, errorMessage);
    },
    { signal },
  );
  await untilShown(cluster, { name, changes }, signal);
}

async function untilShown(
  cluster: KafkajsCluster,
  { name, changes }: { name: string; changes: Readonly<Record<string, string | null>> },
  signal?: AbortSignal,
): Promise<void> {
  const until = cluster.clock.monotonic() + WITHIN_MS;
  while (cluster.clock.monotonic() < until) {
    const shown = ownSettings(await configEntries(cluster, name, signal));
    if (Object.entries(changes).every(([setting, value]) => (shown.get(setting) ?? null) === value)) return;
    await cluster.clock.sleep(20, signal);
  }
}

/** What was set for the topic itself. */
function ownSettings(entries: readonly ConfigEntry[]): Map<string, string> {
  return new Map(
    entries.flatMap(({ configName, configValue, configSource }) =>
      configSource === TOPIC_CONFIG && configValue !== null ? [[configName, configValue]] : [],
    ),
  );
}

async function configEntries(
  cluster: KafkajsCluster,
  name: string,
  signal?: AbortSignal,
): Promise<readonly ConfigEntry[]> {
  const doing = `reading the configuration of topic ${JSON.stringify(name)}`;
  // Waits for one that was just made.
  await cluster.topic(name, { signal });
  return cluster.retrying(
    doing,
    async (either) => {
      const broker = await cluster.connection('controller', 'control', either);
      try {
        return await describeConfig(broker, { type: TOPIC, name }, doing);
      } catch (error) {
        throw isCode(error, UNKNOWN_TOPIC) ? unknownTopic(name) : error;
      }
    },
    { signal },
  );
}
