import { SluiceError } from '../../api/index.ts';
import type { GroupGeneration } from '../client.ts';
import type { Cluster } from './cluster.ts';
import { throwOnCode } from '../common/errors.ts';
import { offsetCommitApis, offsetFetchApis, offsetFetchOfGroupsApis } from './offset-apis.ts';

const UNKNOWN_TOPIC = 3;
/** Generation, member, rebalance, instance, epoch: about who asks, not about what. */
const MEMBERSHIP = new Set([22, 25, 27, 82, 110, 113]);

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface SavedOffset extends TopicPartition {
  /** Null: none was saved. */
  readonly committed: number | null;
}

/** One attempt. Offsets that an open transaction holds are waited for. `member`: of a KIP-848 group, whose epoch is checked. */
export async function fetchSaved(
  cluster: Cluster,
  { group, member }: { readonly group: string; readonly member: GroupGeneration | null },
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<readonly SavedOffset[]> {
  const doing = `reading the offsets of group ${JSON.stringify(group)}`;
  const broker = await cluster.connection({ coordinator: 'group', key: group }, { signal });
  const topics = byTopic(partitions).map(([name, ofTopic]) => ({
    name,
    partitionIndexes: ofTopic.map(({ partition }) => partition),
  }));
  const { memberId = null, generation: memberEpoch = -1 } = member ?? {};
  const asked = { groupId: group, memberId, memberEpoch, topics };
  const { topics: found, errorCode } = broker.speaks('OffsetFetch', 8)
    ? (await broker.call(offsetFetchOfGroupsApis, [asked], true)).groups[0]!
    : await broker.call(offsetFetchApis, [asked], true);
  throwOnCode(errorCode, doing);
  return found.flatMap(({ name: topic, partitions: ofTopic }) =>
    ofTopic.map(({ partitionIndex: partition, committedOffset, errorCode: code }) => {
      if (code !== UNKNOWN_TOPIC) throwOnCode(code, `${doing} in topic ${JSON.stringify(topic)}`);
      return { topic, partition, committed: committedOffset < 0n ? null : Number(committedOffset) };
    }),
  );
}

/** One attempt. Resolves with the error code that concerns the member, which is the protocol's to judge, or 0. Rejects with `TOPIC_UNKNOWN` and what else concerns the offsets. */
export async function saveOffsets(
  cluster: Cluster,
  { group, generation, memberId, instanceId }: GroupGeneration,
  offsets: readonly (TopicPartition & { readonly next: number })[],
): Promise<number> {
  const doing = `saving offsets of group ${JSON.stringify(group)}`;
  const broker = await cluster.connection({ coordinator: 'group', key: group });
  const topics = byTopic(offsets).map(([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(({ partition, next }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(next),
      committedLeaderEpoch: -1,
      committedMetadata: '',
    })),
  }));
  const answer = await broker.call(offsetCommitApis, group, generation, memberId, instanceId, topics);
  for (const { name, partitions } of answer.topics) {
    for (const { errorCode } of partitions) {
      if (errorCode === UNKNOWN_TOPIC)
        throw new SluiceError('TOPIC_UNKNOWN', `${doing}: topic ${JSON.stringify(name)} does not exist`);
      if (MEMBERSHIP.has(errorCode)) return errorCode;
      throwOnCode(errorCode, `${doing} in topic ${JSON.stringify(name)}`);
    }
  }
  return 0;
}

function byTopic<Entry extends TopicPartition>(entries: readonly Entry[]): [string, Entry[]][] {
  return [...Map.groupBy(entries, ({ topic }) => topic)];
}
