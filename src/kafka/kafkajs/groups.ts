import { SluiceError } from '../../api/index.ts';
import type { GroupOffset, KafkaGroup } from '../client.ts';
import type { KafkajsCluster } from './cluster.ts';
import type { BrokerConnection } from './connection.ts';
import { throwOnCode } from '../common/errors.ts';
import { isCode } from './errors.ts';
import { commitOffsets, fetchOffsets } from './group.ts';
import type { Library } from './library.ts';

const OFFSET_DELETE = 47;
const UNKNOWN_MEMBER_ID = 25;
const GROUP_ID_NOT_FOUND = 69;
const GROUP_SUBSCRIBED_TO_TOPIC = 86;
const NOBODY = { generation: -1, memberId: '' };

type OffsetChange = Omit<GroupOffset, 'next'> & { readonly next: number | null };

export async function groupOffsets(
  cluster: KafkajsCluster,
  group: string,
  signal?: AbortSignal,
): Promise<readonly GroupOffset[]> {
  return onCoordinator(
    cluster,
    group,
    `reading the offsets of group ${JSON.stringify(group)}`,
    signal,
    (broker, library) => fetchOffsets(broker, library, { group, wanted: null }),
  );
}

interface DescribeAnswer {
  readonly groups: readonly {
    readonly errorCode: number;
    readonly state: string;
    readonly members: readonly { readonly memberId: string; readonly clientHost: string }[];
  }[];
}

/**
 * A group of KIP-848 looks dead to the request that kafkajs knows; that its coordinator lists it tells it from one that does not exist. Its members stay
 * unknown.
 */
export async function describeGroup(
  cluster: KafkajsCluster,
  group: string,
  signal?: AbortSignal,
): Promise<KafkaGroup | null> {
  const doing = `describing group ${JSON.stringify(group)}`;
  return onCoordinator(cluster, group, doing, signal, async (broker) => {
    const [described] = (await broker.call<DescribeAnswer>('DescribeGroups', { groupIds: [group] }, doing)).groups;
    if (described?.errorCode === GROUP_ID_NOT_FOUND) return null;
    throwOnCode(described?.errorCode ?? 0, doing);
    if (described === undefined || described.state === 'Dead') {
      const isListed = await listsGroup(broker, group, doing);
      return isListed ? { state: 'Unknown', protocol: 'consumer', members: [] } : null;
    }
    const members = described.members.map(({ memberId, clientHost }) => ({
      id: memberId,
      instanceId: null,
      host: clientHost.replace(/^\//, ''),
    }));
    return { state: described.state, protocol: 'classic', members };
  });
}

async function listsGroup(broker: BrokerConnection, group: string, doing: string): Promise<boolean> {
  const answer = await broker.call<{ errorCode: number; groups: readonly { readonly groupId: string }[] }>(
    'ListGroups',
    {},
    doing,
  );
  throwOnCode(answer.errorCode, doing);
  return answer.groups.some(({ groupId }) => groupId === group);
}

/** Only of a group that certainly has no members: the broker would let a live group of KIP-848 be overwritten. */
export async function setGroupOffsets(
  cluster: KafkajsCluster,
  group: string,
  offsets: readonly OffsetChange[],
  signal?: AbortSignal,
): Promise<void> {
  const doing = `setting offsets of group ${JSON.stringify(group)}`;
  const found = await describeGroup(cluster, group, signal);
  if (found?.protocol === 'consumer')
    throw refused(doing, 'it is a group of KIP-848, whose members kafkajs cannot see');
  if (found !== null && found.members.length > 0) throw refused(doing, 'it has members');
  await onCoordinator(cluster, group, doing, signal, async (broker, library) => {
    const set = offsets.flatMap(({ topic, partition, next }) => (next === null ? [] : [{ topic, partition, next }]));
    const deleted = offsets.filter(({ next }) => next === null);
    try {
      if (set.length > 0) await commitOffsets(broker, { group, membership: NOBODY, offsets: set });
      if (deleted.length > 0) await deleteOffsets(broker, library, { group, offsets: deleted, doing });
    } catch (error) {
      throw isCode(error, UNKNOWN_MEMBER_ID, GROUP_SUBSCRIBED_TO_TOPIC) ? refused(doing, 'it has members') : error;
    }
  });
}

/** OffsetDelete, version 0, which kafkajs does not know: Kafka 2.4 and later. */
async function deleteOffsets(
  broker: BrokerConnection,
  library: Library,
  { group, offsets, doing }: { group: string; offsets: readonly OffsetChange[]; doing: string },
): Promise<void> {
  if (!broker.offers(OFFSET_DELETE, 0)) {
    throw new SluiceError('KAFKA_UNSUPPORTED', `${doing}: deleting single offsets needs Kafka 2.4 or later`);
  }
  const byTopic = Map.groupBy(offsets, ({ topic }) => topic);
  const encoder = new library.Encoder().writeString(group).writeInt32(byTopic.size);
  for (const [topic, partitions] of byTopic) {
    encoder.writeString(topic).writeInt32(partitions.length);
    for (const { partition } of partitions) encoder.writeInt32(partition);
  }
  const request = {
    apiKey: OFFSET_DELETE,
    apiVersion: 0,
    apiName: 'OffsetDelete',
    encode: () => Promise.resolve(encoder),
  };
  const decode = (bytes: Buffer): Promise<unknown> => {
    const decoder = new library.Decoder(bytes);
    const codes = [decoder.readInt16()];
    decoder.readInt32();
    decoder.readArray((topic) => {
      topic.readString();
      topic.readArray((partition) => {
        partition.readInt32();
        codes.push(partition.readInt16());
      });
    });
    return Promise.resolve(codes);
  };
  const response = { decode, parse: (decoded: unknown) => Promise.resolve(decoded) };
  for (const code of await broker.send<readonly number[]>({ request, response }, doing))
    if (code !== GROUP_ID_NOT_FOUND) throwOnCode(code, doing);
}

export async function deleteGroup(cluster: KafkajsCluster, group: string, signal?: AbortSignal): Promise<void> {
  const doing = `deleting group ${JSON.stringify(group)}`;
  await onCoordinator(cluster, group, doing, signal, async (broker) => {
    const answer = await broker.call<{ results: readonly { readonly errorCode: number }[] }>(
      'DeleteGroups',
      [group],
      doing,
    );
    for (const { errorCode } of answer.results) if (errorCode !== GROUP_ID_NOT_FOUND) throwOnCode(errorCode, doing);
  });
}

function onCoordinator<R>(
  cluster: KafkajsCluster,
  group: string,
  doing: string,
  signal: AbortSignal | undefined,
  act: (broker: BrokerConnection, library: Library) => Promise<R>,
): Promise<R> {
  const attempt = async (either: AbortSignal): Promise<R> =>
    act(await cluster.connection({ group }, 'control', either), await cluster.library());
  return cluster.retrying(doing, attempt, { signal });
}

function refused(doing: string, reason: string): SluiceError {
  return new SluiceError('KAFKA_REFUSED', `${doing}: ${reason}`);
}
