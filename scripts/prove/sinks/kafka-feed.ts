import { lifeOf } from '../kafka/indexed.ts';
import { openClient, sealedValues } from '../kafka/topics.ts';
import type { Feed } from './feed.ts';
import { recordOf } from './numbered-records.ts';

const PARTITIONS = 4;
const AT_ONCE = 2000;

/** A topic of Kafka that is filled beside the hub. */
export async function kafkaFeed(
  brokers: string,
  topic: string,
  valueOf: (n: number) => string = recordOf,
): Promise<Feed> {
  const client = openClient(brokers);
  await client.createTopic({ name: topic, partitions: PARTITIONS, replicationFactor: 1 });
  const producer = await client.openProducer({});
  let written = 0;
  return {
    sources: '',
    settings: [`kafka: { brokers: ['${brokers}'] }`],
    async growTo(end) {
      while (written < end) {
        const [first, count] = [written, Math.min(AT_ONCE, end - written)];
        const values = Array.from({ length: count }, (_each, at) => valueOf(first + at));
        await producer.send(topic, Math.floor(first / AT_ONCE) % PARTITIONS, sealedValues(values));
        written += count;
      }
    },
    life: () => lifeOf(client, topic),
    async close() {
      await producer.close();
      await client.close();
    },
  };
}
