import { kafka } from './package.ts';
import { SluiceError } from '../../api/index.ts';
import type { OffsetAt, OffsetsOptions } from '../client.ts';
import type { Cluster } from './cluster.ts';
import { topicError } from '../common/errors.ts';

const listOffsetsApis = [
  kafka.listOffsetsV2.api,
  kafka.listOffsetsV3.api,
  kafka.listOffsetsV4.api,
  kafka.listOffsetsV5.api,
  kafka.listOffsetsV6.api,
  kafka.listOffsetsV7.api,
  kafka.listOffsetsV8.api,
];

const LEADER_NOT_AVAILABLE = 5;
const NO_REPLICA = -1;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const LATEST = -1n;
const EARLIEST = -2n;

/** Of the given partitions, or of all. Rejects with `TOPIC_UNKNOWN`, also for a partition that the topic does not have. */
export async function listOffsets(
  cluster: Cluster,
  topic: string,
  at: OffsetAt,
  { partitions, signal }: OffsetsOptions = {},
): Promise<ReadonlyMap<number, number>> {
  const wanted = await existing(cluster, topic, partitions, signal);
  const found = await ask(cluster, topic, wanted, at, signal);
  const pastTheEnd = wanted.filter((partition) => found.get(partition) === -1);
  const ends = pastTheEnd.length === 0 ? [] : await ask(cluster, topic, pastTheEnd, 'latest', signal);
  return new Map([...found, ...ends]);
}

async function existing(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[] | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  const known = (await cluster.metadata.topic(topic, signal)).partitions.length;
  if (partitions === undefined) return Array.from({ length: known }, (_, partition) => partition);
  if (partitions.every((partition) => partition < known)) return partitions;
  // A topic may have grown.
  cluster.metadata.invalidate(topic);
  const { length } = (await cluster.metadata.topic(topic, signal)).partitions;
  const missing = partitions.find((partition) => partition >= length);
  if (missing === undefined) return partitions;
  throw new SluiceError(
    'TOPIC_UNKNOWN',
    `asking for offsets: topic ${JSON.stringify(topic)} has ${length} partitions and no partition ${missing}`,
  );
}

async function ask(
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
  at: OffsetAt,
  signal: AbortSignal | undefined,
): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  const doing = `asking for offsets of topic ${JSON.stringify(topic)}`;
  await cluster.retrying(
    doing,
    async () => {
      const known = await cluster.metadata.topic(topic, signal);
      const missing = partitions.filter((partition) => !found.has(partition));
      const byLeader = Map.groupBy(missing, (partition) => known.partitions[partition]?.leader ?? NO_REPLICA);
      if (byLeader.has(NO_REPLICA)) throw topicError(LEADER_NOT_AVAILABLE, topic, doing);
      await Promise.all(
        [...byLeader].map(async ([node, ofLeader]) => {
          const broker = await cluster.connection({ node }, signal === undefined ? {} : { signal });
          const answer = await broker.call(
            listOffsetsApis,
            NO_REPLICA,
            at === 'stable' ? READ_COMMITTED : READ_UNCOMMITTED,
            [
              {
                name: topic,
                partitions: ofLeader.map((partitionIndex) => ({
                  partitionIndex,
                  currentLeaderEpoch: known.partitions[partitionIndex]!.epoch,
                  timestamp: timestampOf(at),
                })),
              },
            ],
          );
          for (const { partitionIndex, errorCode, offset } of answer.topics[0]?.partitions ?? []) {
            if (errorCode !== 0) throw topicError(errorCode, topic, `${doing} partition ${partitionIndex}`);
            found.set(partitionIndex, Number(offset));
          }
        }),
      );
    },
    signal,
  );
  return found;
}

function timestampOf(at: OffsetAt): bigint {
  if (typeof at === 'object') return BigInt(at.timestampMs);
  return at === 'earliest' ? EARLIEST : LATEST;
}
