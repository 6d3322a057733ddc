import type { BrokerConnection } from './connection.ts';
import { protocolError, throwOnCode } from '../common/errors.ts';
import type { Library } from './library.ts';

const UNSUPPORTED_VERSION = 35;
const MEMBER_ID_REQUIRED = 79;

export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface Membership {
  readonly generation: number;
  readonly memberId: string;
}

export interface Joined extends Membership {
  /** Of the leader only, which decides who gets what; null for the others. */
  readonly members: readonly { readonly memberId: string; readonly topics: readonly string[] }[] | null;
}

export interface JoinRequest {
  readonly group: string;
  /** Empty at first. */
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

interface JoinAnswer {
  readonly errorCode: number;
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

/** Waits until all members have joined, or their time to do so is over. */
export async function joinGroup(broker: BrokerConnection, library: Library, request: JoinRequest): Promise<Joined> {
  const doing = `joining group ${JSON.stringify(request.group)}`;
  const join = (memberId: string): Promise<JoinAnswer> =>
    broker.call<JoinAnswer>(
      'JoinGroup',
      {
        groupId: request.group,
        sessionTimeout: request.sessionTimeoutMs,
        rebalanceTimeout: request.rebalanceTimeoutMs,
        memberId,
        protocolType: 'consumer',
        groupProtocols: [
          { name: ASSIGNOR, metadata: library.MemberMetadata.encode({ version: 0, topics: request.topics }) },
        ],
      },
      doing,
    );
  let answer = await join(request.memberId);
  if (answer.errorCode === MEMBER_ID_REQUIRED) answer = await join(answer.memberId);
  throwOnCode(answer.errorCode, doing);
  const { generationId: generation, memberId, leaderId } = answer;
  if (memberId !== leaderId) return { generation, memberId, members: null };
  const members = answer.members.map((member) => ({
    memberId: member.memberId,
    topics: library.MemberMetadata.decode(member.memberMetadata).topics,
  }));
  return { generation, memberId, members };
}

/** Java's `roundrobin`, which both drivers and other clients can share a group by. */
const ASSIGNOR = 'roundrobin';

/** Deals the partitions of all topics out in turn, to those who subscribed to the topic. */
export function dealRoundRobin(
  members: NonNullable<Joined['members']>,
  partitionCounts: ReadonlyMap<string, number>,
): ReadonlyMap<string, ReadonlyMap<string, readonly number[]>> {
  const sorted = members.toSorted((left, right) => (left.memberId < right.memberId ? -1 : 1));
  const dealt = new Map(sorted.map(({ memberId }) => [memberId, new Map<string, number[]>()]));
  let turn = 0;
  for (const topic of [...partitionCounts.keys()].sort()) {
    if (!sorted.some(({ topics }) => topics.includes(topic))) continue;
    for (let partition = 0; partition < partitionCounts.get(topic)!; partition++) {
      while (!sorted[turn % sorted.length]!.topics.includes(topic)) turn++;
      const topics = dealt.get(sorted[turn++ % sorted.length]!.memberId)!;
      topics.set(topic, [...(topics.get(topic) ?? []), partition]);
    }
  }
  return dealt;
}

/** The leader hands out the assignment, the others wait for theirs. */
export async function syncGroup(
  broker: BrokerConnection,
  library: Library,
  {
    group,
    membership,
    dealt,
  }: { group: string; membership: Membership; dealt: ReturnType<typeof dealRoundRobin> | null },
): Promise<readonly TopicPartitions[]> {
  const doing = `taking part in group ${JSON.stringify(group)}`;
  const groupAssignment = [...(dealt ?? [])].map(([memberId, topics]) => ({
    memberId,
    memberAssignment: library.MemberAssignment.encode({ version: 0, assignment: Object.fromEntries(topics) }),
  }));
  const answer = await broker.call<{ errorCode: number; memberAssignment: Buffer | null }>(
    'SyncGroup',
    { groupId: group, generationId: membership.generation, memberId: membership.memberId, groupAssignment },
    doing,
  );
  throwOnCode(answer.errorCode, doing);
  const assigned = library.MemberAssignment.decode(answer.memberAssignment ?? Buffer.alloc(0));
  return Object.entries(assigned?.assignment ?? {}).map(([topic, partitions]) => ({ topic, partitions }));
}

/** Rejects with the code of `REBALANCE_IN_PROGRESS`, `UNKNOWN_MEMBER_ID` … */
export async function heartbeat(broker: BrokerConnection, group: string, membership: Membership): Promise<void> {
  const doing = `keeping the membership of group ${JSON.stringify(group)}`;
  const { errorCode } = await broker.call<{ errorCode: number }>(
    'Heartbeat',
    { groupId: group, groupGenerationId: membership.generation, memberId: membership.memberId },
    doing,
  );
  throwOnCode(errorCode, doing);
}

export async function leaveGroup(broker: BrokerConnection, group: string, memberId: string): Promise<void> {
  await broker.call('LeaveGroup', { groupId: group, memberId }, `leaving group ${JSON.stringify(group)}`);
}

export interface SavedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly next: number;
}

interface OffsetsAnswer {
  readonly errorCode?: number;
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: string; readonly errorCode: number }[];
  }[];
}

/** Those that were saved, of these partitions or of all (null). */
export async function fetchOffsets(
  broker: BrokerConnection,
  library: Library,
  { group, wanted }: { group: string; wanted: readonly TopicPartitions[] | null },
): Promise<readonly SavedOffset[]> {
  const doing = `reading the offsets of group ${JSON.stringify(group)}`;
  const topics = (wanted ?? []).map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((partition) => ({ partition })),
  }));
  const exchange = broker.exchange('OffsetFetch', { groupId: group, topics });
  if (wanted === null) {
    // Version 1 cannot ask for all; kafkajs would ask for none in version 2.
    if (exchange.request.apiVersion < 2) throw protocolError(UNSUPPORTED_VERSION, doing);
    const encoder = new library.Encoder().writeString(group).writeInt32(-1);
    const request = { ...exchange.request, encode: () => Promise.resolve(encoder) };
    return savedOf(await broker.send<OffsetsAnswer>({ ...exchange, request }, doing), doing);
  }
  return savedOf(await broker.send<OffsetsAnswer>(exchange, doing), doing);
}

function savedOf(answer: OffsetsAnswer, doing: string): readonly SavedOffset[] {
  throwOnCode(answer.errorCode ?? 0, doing);
  return answer.responses.flatMap(({ topic, partitions }) =>
    partitions.flatMap(({ partition, offset, errorCode }) => {
      throwOnCode(errorCode, doing);
      return Number(offset) < 0 ? [] : [{ topic, partition, next: Number(offset) }];
    }),
  );
}

/** A membership of generation -1 saves offsets of a group without members. */
export async function commitOffsets(
  broker: BrokerConnection,
  { group, membership, offsets }: { group: string; membership: Membership; offsets: readonly SavedOffset[] },
): Promise<void> {
  const doing = `saving offsets of group ${JSON.stringify(group)}`;
  const byTopic = Map.groupBy(offsets, ({ topic }) => topic);
  const topics = [...byTopic].map(([topic, saved]) => ({
    topic,
    partitions: saved.map(({ partition, next }) => ({ partition, offset: String(next), metadata: '' })),
  }));
  const answer = await broker.call<{
    responses: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[];
  }>(
    'OffsetCommit',
    { groupId: group, groupGenerationId: membership.generation, memberId: membership.memberId, topics },
    doing,
  );
  for (const { partitions } of answer.responses) for (const { errorCode } of partitions) throwOnCode(errorCode, doing);
}
