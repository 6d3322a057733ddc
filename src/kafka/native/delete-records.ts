import { topicError } from '../common/errors.ts';
import type { Cluster } from './cluster.ts';
import { kafka } from './package.ts';

const deleteRecordsApis = [kafka.deleteRecordsV0.api, kafka.deleteRecordsV1.api, kafka.deleteRecordsV2.api];

const LEADER_NOT_AVAILABLE = 5;
const NO_LEADER = -1;

/** Rejects with `TOPIC_UNKNOWN`, and with `KAFKA_REFUSED` for an offset behind the end, or a topic whose `cleanup.policy` does not delete. */
export async function deleteRecords(
  cluster: Cluster,
  topic: string,
  { partition, before }: { readonly partition: number; readonly before: number },
  signal?: AbortSignal,
): Promise<void> {
  const doing = `deleting records of topic ${JSON.stringify(topic)}`;
  await cluster.retrying(
    doing,
    async () => {
      const known = await cluster.metadata.topic(topic, signal);
      const node = known.partitions[partition]?.leader ?? NO_LEADER;
      if (node === NO_LEADER) throw topicError(LEADER_NOT_AVAILABLE, topic, doing);
      const broker = await cluster.connection({ node }, signal === undefined ? {} : { signal });
      const partitions = [{ partitionIndex: partition, offset: BigInt(before) }];
      const timeoutMs = cluster.settings.client.request_timeout;
      const answer = await broker.call(deleteRecordsApis, [{ name: topic, partitions }], timeoutMs);
      for (const { errorCode } of answer.topics[0]?.partitions ?? [])
        if (errorCode !== 0) throw topicError(errorCode, topic, `${doing} partition ${partition}`);
    },
    signal,
  );
}
