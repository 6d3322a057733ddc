import { kafka } from './package.ts';
import { SluiceError } from '../../api/index.ts';
import type { NewKafkaTopic } from '../client.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { Cluster } from './cluster.ts';
import { protocolError, throwOnCode } from '../common/errors.ts';

const createApis = [
  kafka.createTopicsV2.api,
  kafka.createTopicsV3.api,
  kafka.createTopicsV4.api,
  kafka.createTopicsV5.api,
  kafka.createTopicsV6.api,
  kafka.createTopicsV7.api,
];
const deleteApis = [
  kafka.deleteTopicsV1.api,
  kafka.deleteTopicsV2.api,
  kafka.deleteTopicsV3.api,
  kafka.deleteTopicsV4.api,
  kafka.deleteTopicsV5.api,
  kafka.deleteTopicsV6.api,
];
const describeConfigsApis = [
  kafka.describeConfigsV1.api,
  kafka.describeConfigsV2.api,
  kafka.describeConfigsV3.api,
  kafka.describeConfigsV4.api,
];
const alterConfigsApis: readonly (typeof kafka.incrementalAlterConfigsV1.api)[] = [
  kafka.incrementalAlterConfigsV0.api,
  kafka.incrementalAlterConfigsV1.api,
];

const UNKNOWN_TOPIC = 3;
const ALREADY_EXISTS = 36;
const GONE_AFTER_MS = 1500;
const GONE_POLL_MS = 20;
const TOPIC = 2;
const BROKER = 4;
const SET = 0;
const DELETE = 1;

/** False: it was there already. */
export async function createTopic(cluster: Cluster, topic: NewKafkaTopic, signal?: AbortSignal): Promise<boolean> {
  const { name, config = {}, validateOnly = false } = topic;
  const doing = `creating topic ${JSON.stringify(name)}`;
  const isNew = await cluster.retrying(
    doing,
    async () => {
      const broker = await cluster.connection('controller', aborted(signal));
      const { partitions, replicationFactor } = await numbersOf(broker, topic);
      const request = {
        name,
        numPartitions: partitions,
        replicationFactor,
        assignments: [],
        configs: Object.entries(config).map(([key, value]) => ({ name: key, value })),
      };
      const answer = await broker.call(createApis, [request], cluster.settings.client.request_timeout, validateOnly);
      const { errorCode = 0, errorMessage = null } = answer.topics.find((entry) => entry.name === name) ?? {};
      if (errorCode === ALREADY_EXISTS) return false;
      throwOnCode(errorCode, doing, errorMessage);
      return true;
    },
    signal,
  );
  // Until a broker that is asked for it knows it, the topic would be reported missing.
  if (isNew && !validateOnly) await cluster.metadata.topic(name, signal);
  return isNew;
}

/** A topic that does not exist is no error. */
export async function deleteTopic(cluster: Cluster, name: string, signal?: AbortSignal): Promise<void> {
  const doing = `deleting topic ${JSON.stringify(name)}`;
  await cluster.retrying(
    doing,
    async () => {
      const broker = await cluster.connection('controller', aborted(signal));
      const answer = await broker.call(deleteApis, [{ name }], cluster.settings.client.request_timeout);
      for (const { errorCode, errorMessage } of answer.responses)
        if (errorCode !== UNKNOWN_TOPIC) throwOnCode(errorCode, doing, errorMessage);
    },
    signal,
  );
  await untilGone(cluster, name, signal);
}

/** Brokers hear of it a moment after the controller, and take records for it until then. The topic may be there again, made by somebody else. */
async function untilGone(cluster: Cluster, name: string, signal: AbortSignal | undefined): Promise<void> {
  const { clock, closed, metadata } = cluster;
  const before = metadata.known(name)?.incarnation;
  const deadline = clock.monotonic() + GONE_AFTER_MS;
  while (clock.monotonic() < deadline) {
    const [topic] = await metadata.list([name], signal);
    if (topic === undefined) return;
    if (before !== undefined && topic.incarnation !== before) return;
    await clock.sleep(GONE_POLL_MS, signal === undefined ? closed : AbortSignal.any([signal, closed]));
  }
}

/** Rejects with `TOPIC_UNKNOWN`. Sensitive values, which brokers do not tell, are left out. */
export async function topicConfig(
  cluster: Cluster,
  name: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const doing = `reading the configuration of topic ${JSON.stringify(name)}`;
  return cluster.retrying(
    doing,
    async () => {
      const broker = await cluster.connection('any', aborted(signal));
      const { results } = await broker.call(describeConfigsApis, [{ resourceType: TOPIC, resourceName: name }], false);
      const [result] = results;
      await throwOnTopicCode(cluster, name, result?.errorCode ?? 0, doing, result?.errorMessage ?? null, signal);
      return new Map(
        (result?.configs ?? []).flatMap(({ name: key, value }) => (typeof value === 'string' ? [[key, value]] : [])),
      );
    },
    signal,
  );
}

/** Changes the named settings only. Rejects with `TOPIC_UNKNOWN`, and with `KAFKA_UNSUPPORTED` below Kafka 2.3. */
export async function alterTopicConfig(
  cluster: Cluster,
  name: string,
  changes: Readonly<Record<string, string | null>>,
  signal?: AbortSignal,
): Promise<void> {
  const doing = `changing the configuration of topic ${JSON.stringify(name)}`;
  const configs = Object.entries(changes).map(([key, value]) =>
    value === null
      ? ({ name: key, configOperation: DELETE } as const)
      : ({ name: key, configOperation: SET, value } as const),
  );
  await cluster.retrying(
    doing,
    async () => {
      const broker = await cluster.connection('any', aborted(signal));
      // The older AlterConfigs sets everything that is not named back to its default.
      if (!broker.speaks('IncrementalAlterConfigs', 0))
        throw new SluiceError('KAFKA_UNSUPPORTED', `${doing}: single settings can be changed from Kafka 2.3 on`);
      const resource = { resourceType: TOPIC, resourceName: name, configs } as const;
      const { responses } = await broker.call(alterConfigsApis, [resource], false);
      for (const { errorCode, errorMessage } of responses)
        await throwOnTopicCode(cluster, name, errorCode, doing, errorMessage ?? null, signal);
    },
    signal,
  );
}

// Brokers before 2.4 do not take -1 for their own defaults.
async function numbersOf(
  broker: BrokerConnection,
  { partitions, replicationFactor }: NewKafkaTopic,
): Promise<{ partitions: number; replicationFactor: number }> {
  if (broker.speaks('CreateTopics', 4) || (partitions !== -1 && replicationFactor !== -1))
    return { partitions, replicationFactor };
  const resource = { resourceType: BROKER, resourceName: String(broker.nodeId) } as const;
  const { results } = await broker.call(describeConfigsApis, [resource], false);
  const [result] = results;
  throwOnCode(result?.errorCode ?? 0, `reading the configuration of broker ${broker.nodeId}`, result?.errorMessage);
  const setting = (name: string): number => Number(result?.configs.find((config) => config.name === name)?.value ?? 1);
  return {
    partitions: partitions === -1 ? setting('num.partitions') : partitions,
    replicationFactor: replicationFactor === -1 ? setting('default.replication.factor') : replicationFactor,
  };
}

/** A broker that does not know a topic may only not know it yet: the metadata decides. */
async function throwOnTopicCode(
  cluster: Cluster,
  name: string,
  code: number,
  doing: string,
  detail: string | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (code === UNKNOWN_TOPIC) {
    cluster.metadata.invalidate(name);
    await cluster.metadata.topic(name, signal);
    throw protocolError(code, doing);
  }
  throwOnCode(code, doing, detail);
}

function aborted(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
