import { throwOnCode } from '../common/errors.ts';
import type { KafkajsCluster } from './cluster.ts';

/** How long the leader may wait for the other replicas before it answers. */
const WITHIN_MS = 5000;

interface Answer {
  readonly topics: readonly {
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number }[];
  }[];
}

/** Rejects with `TOPIC_UNKNOWN`, and with `KAFKA_REFUSED` for an offset behind the end. */
export async function deleteRecords(
  cluster: KafkajsCluster,
  topic: string,
  { partition, before }: { readonly partition: number; readonly before: number },
  signal?: AbortSignal,
): Promise<void> {
  const doing = `deleting records of topic ${JSON.stringify(topic)}`;
  await cluster.retrying(
    doing,
    async (either) => {
      const node = await cluster.leader(topic, partition, { signal: either });
      const broker = await cluster.connection({ node }, 'control', either);
      const partitions = [{ partition, offset: String(before) }];
      const answer = await broker.call<Answer>(
        'DeleteRecords',
        { topics: [{ topic, partitions }], timeout: WITHIN_MS },
        doing,
      );
      for (const { errorCode } of answer.topics.flatMap((entry) => entry.partitions)) throwOnCode(errorCode, doing);
    },
    { signal },
  );
}
