import type { Clock, Logger } from '../../api/index.ts';
import type { KafkaClient, KafkaTopic, NewKafkaTopic } from '../../kafka/index.ts';

const LOOK_EVERY_MS = 50;

/** The topic as it is; created when it was missing. Several hubs may try at once. */
export async function createdTopic(
  wanted: NewKafkaTopic,
  { client, clock, log, signal }: { client: KafkaClient; clock: Clock; log: Logger; signal: AbortSignal },
): Promise<KafkaTopic> {
  const { name, partitions } = wanted;
  for (let isAsked = false; ;) {
    const [topic] = await client.topics([name], signal);
    if (topic !== undefined && topic.partitions.length > 0) return topic;
    if (!isAsked) {
      isAsked = true;
      if (await client.createTopic(wanted, signal)) log.info({ topic: name, partitions }, 'topic created');
      continue;
    }
    // Brokers learn of it one after the other.
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}
