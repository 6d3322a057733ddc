import * as kafka from '@platformatic/kafka';
import type { Cluster } from './cluster.ts';
import { protocolError, throwOnCode } from './errors.ts';

const listOffsetsApis = [
  kafka.listOffsetsV1.api,
  kafka.listOffsetsV2.api,
  kafka.listOffsetsV3.api,
  kafka.listOffsetsV4.api,
  kafka.listOffsetsV5.api,
  kafka.listOffsetsV6.api,
];
const CONSUMER = -1;
const UNCOMMITTED = 0;
const LEADER_NOT_AVAILABLE = 5;
const EARLIEST = -2n;
const LATEST = -1n;

/** What a partition holds, by its leader. One attempt. */
export async function partitionRange(
  cluster: Cluster,
  topic: string,
  partition: number,
  signal: AbortSignal,
): Promise<{ earliest: number; latest: number }> {
  const doing = `asking for the offsets of topic ${JSON.stringify(topic)} partition ${partition}`;
  const leader = cluster.metadata.leader(topic, partition);
  if (leader === null) throw protocolError(LEADER_NOT_AVAILABLE, doing);
  const broker = await cluster.connection({ node: leader.node }, { signal });
  const ask = async (timestamp: bigint): Promise<number> => {
    const wanted = { partitionIndex: partition, currentLeaderEpoch: -1, timestamp };
    const { topics } = await broker.call(listOffsetsApis, CONSUMER, UNCOMMITTED, [
      { name: topic, partitions: [wanted] },
    ]);
    const answer = topics[0]?.partitions[0];
    throwOnCode(answer?.errorCode ?? LEADER_NOT_AVAILABLE, doing);
    return Number(answer!.offset);
  };
  return { earliest: await ask(EARLIEST), latest: await ask(LATEST) };
}
