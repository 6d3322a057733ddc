import { kafka } from './package.ts';
import type { GroupOffset, KafkaClient, KafkaGroup } from '../client.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { Cluster } from './cluster.ts';
import { KafkaError, throwOnCode } from '../common/errors.ts';
import { offsetCommitApis, offsetFetchApis, offsetFetchOfGroupsApis } from './offset-apis.ts';

const describeApis = [
  kafka.describeGroupsV1.api,
  kafka.describeGroupsV2.api,
  kafka.describeGroupsV3.api,
  kafka.describeGroupsV4.api,
  kafka.describeGroupsV5.api,
];
const deleteApis = [kafka.deleteGroupsV0.api, kafka.deleteGroupsV1.api, kafka.deleteGroupsV2.api];

const GROUP_NOT_FOUND = 69;
/** What a coordinator answers to offsets from outside while a group has members: unknown member, generation, stale epoch, not empty, subscribed. */
const HAS_MEMBERS = new Set([22, 25, 27, 68, 86, 113]);
const NO_GENERATION = -1;

type NewOffsets = Parameters<KafkaClient['setGroupOffsets']>[1];

/** Empty for a group that does not exist. */
export async function groupOffsets(
  cluster: Cluster,
  group: string,
  signal?: AbortSignal,
): Promise<readonly GroupOffset[]> {
  const doing = `reading the offsets of group ${JSON.stringify(group)}`;
  return ofGroup(cluster, group, doing, signal, async (broker) => {
    const asked = { groupId: group, memberId: null, memberEpoch: -1, topics: null };
    // Before version 8 an answer is about the one group that was asked for.
    const groups = broker.speaks('OffsetFetch', 8)
      ? (await broker.call(offsetFetchOfGroupsApis, [asked], false)).groups
      : [await broker.call(offsetFetchApis, [asked], false)];
    return groups.flatMap(({ errorCode, topics }) => {
      if (errorCode === GROUP_NOT_FOUND) return [];
      throwOnCode(errorCode, doing);
      return topics.flatMap(({ name: topic, partitions }) =>
        partitions.flatMap(({ partitionIndex: partition, committedOffset, errorCode: code }) => {
          throwOnCode(code, `${doing} in topic ${JSON.stringify(topic)}`);
          return committedOffset < 0n ? [] : [{ topic, partition, next: Number(committedOffset) }];
        }),
      );
    });
  });
}

/** Null when the group does not exist. Groups of KIP-848 look dead to the older request, so the newer comes first. */
export async function describeGroup(cluster: Cluster, group: string, signal?: AbortSignal): Promise<KafkaGroup | null> {
  const doing = `describing group ${JSON.stringify(group)}`;
  return ofGroup(cluster, group, doing, signal, async (broker) => {
    const consumer = broker.speaks('ConsumerGroupDescribe', 0) ? await describeConsumer(broker, group, doing) : null;
    return consumer ?? describeClassic(broker, group, doing);
  });
}

/** Null deletes one. Rejects with `KAFKA_REFUSED` while the group has members. */
export async function setGroupOffsets(
  cluster: Cluster,
  group: string,
  offsets: NewOffsets,
  signal?: AbortSignal,
): Promise<void> {
  const doing = `setting the offsets of group ${JSON.stringify(group)}`;
  const { members } = (await describeGroup(cluster, group, signal)) ?? { members: [] };
  if (members.length > 0) throw hasMembers(doing);
  const set = offsets.filter(({ next }) => next !== null);
  const deleted = offsets.filter(({ next }) => next === null);
  await ofGroup(cluster, group, doing, signal, async (broker) => {
    if (set.length > 0) await commit(broker, group, set, doing);
    if (deleted.length > 0) await forget(broker, group, deleted, doing);
  });
}

/** A group that does not exist is no error. */
export async function deleteGroup(cluster: Cluster, group: string, signal?: AbortSignal): Promise<void> {
  const doing = `deleting group ${JSON.stringify(group)}`;
  await ofGroup(cluster, group, doing, signal, async (broker) => {
    const { results } = await broker.call(deleteApis, [group]);
    for (const { errorCode } of results) if (errorCode !== GROUP_NOT_FOUND) throwUnlessEmpty(errorCode, doing);
  });
}

function ofGroup<R>(
  cluster: Cluster,
  group: string,
  doing: string,
  signal: AbortSignal | undefined,
  attempt: (coordinator: BrokerConnection) => Promise<R>,
): Promise<R> {
  const wish = signal === undefined ? {} : { signal };
  return cluster.retrying(
    doing,
    async () => attempt(await cluster.connection({ coordinator: 'group', key: group }, wish)),
    signal,
  );
}

async function describeConsumer(broker: BrokerConnection, group: string, doing: string): Promise<KafkaGroup | null> {
  const { groups } = await broker.call([kafka.consumerGroupDescribeV0.api], [group], false);
  const [found] = groups;
  if (found === undefined || found.errorCode === GROUP_NOT_FOUND) return null;
  throwOnCode(found.errorCode, doing, found.errorMessage);
  const members = found.members.map(({ memberId: id, instanceId, clientHost: host }) => ({
    id,
    instanceId: instanceId ?? null,
    host,
  }));
  return { state: found.groupState, protocol: 'consumer', members };
}

async function describeClassic(broker: BrokerConnection, group: string, doing: string): Promise<KafkaGroup | null> {
  const { groups } = await broker.call(describeApis, [group], false);
  const [found] = groups;
  if (found === undefined || found.errorCode === GROUP_NOT_FOUND) return null;
  throwOnCode(found.errorCode, doing);
  if (found.groupState === 'Dead') return null;
  const members = found.members.map(({ memberId: id, groupInstanceId: instanceId, clientHost: host }) => ({
    id,
    instanceId: instanceId ?? null,
    host,
  }));
  return { state: found.groupState, protocol: 'classic', members };
}

async function commit(broker: BrokerConnection, group: string, offsets: NewOffsets, doing: string): Promise<void> {
  const topics = byTopic(offsets, ({ partition, next }) => ({
    partitionIndex: partition,
    committedOffset: BigInt(next ?? 0),
    committedLeaderEpoch: -1,
    committedMetadata: '',
  }));
  const answer = await broker.call(offsetCommitApis, group, NO_GENERATION, '', null, topics);
  for (const { name, partitions } of answer.topics)
    for (const { errorCode } of partitions) throwUnlessEmpty(errorCode, `${doing} in topic ${JSON.stringify(name)}`);
}

async function forget(broker: BrokerConnection, group: string, offsets: NewOffsets, doing: string): Promise<void> {
  const topics = byTopic(offsets, ({ partition }) => ({ partitionIndex: partition }));
  const answer = await broker.call([kafka.offsetDeleteV0.api], group, topics);
  if (answer.errorCode === GROUP_NOT_FOUND) return;
  throwUnlessEmpty(answer.errorCode, doing);
  for (const { partitions } of answer.topics)
    for (const { errorCode } of partitions) throwUnlessEmpty(errorCode, doing);
}

function byTopic<Entry>(
  offsets: NewOffsets,
  entry: (offset: NewOffsets[number]) => Entry,
): { name: string; partitions: Entry[] }[] {
  return [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(entry),
  }));
}

function throwUnlessEmpty(code: number, doing: string): void {
  if (HAS_MEMBERS.has(code)) throw hasMembers(doing);
  throwOnCode(code, doing);
}

function hasMembers(doing: string): KafkaError {
  return new KafkaError('KAFKA_REFUSED', 'fatal', doing, 'the group has members; stop them first');
}
