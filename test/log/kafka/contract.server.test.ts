import { setTimeout as delay } from 'node:timers/promises';
import { openKafka, type KafkaClient, type KafkaSettings } from '../../../src/kafka/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { topicLogContract } from '../../../src/testing/index.ts';
import { kafkaSettings, quietLog } from '../../kafka/support/clients.ts';
import { serverSuite, uniqueName } from '../../support/servers.ts';
import { Logs } from './support/setting.ts';

const drivers: readonly KafkaSettings['driver'][] = ['native', 'kafkajs'];

serverSuite('the topic log on Kafka', ['kafka'], (where) => {
  describe.each(drivers)('by driver %s', (driver) => {
    let client: KafkaClient;

    beforeAll(() => {
      const settings = kafkaSettings({ driver, brokers: where.kafka.brokers.split(',') });
      client = openKafka(settings, { clock: realClock, log: quietLog });
    });

    afterAll(async () => {
      await client.close();
    });

    test.each(topicLogContract)('$name', async ({ run }) => {
      const topic = uniqueName('log');
      const logs = new Logs(client, topic);
      try {
        await run({
          topic,
          refusals: ['RECORD_TOO_LARGE'],
          open: () => logs.open(),
          failWrites: (isFailing) => limitBatches(client, topic, isFailing ? 10 : 2_000_000),
        });
      } finally {
        await logs.close();
      }
    });
  });
});

/** The broker itself refuses what is larger. */
async function limitBatches(client: KafkaClient, topic: string, bytes: number): Promise<void> {
  await client.alterTopicConfig(topic, { 'max.message.bytes': `${bytes}` });
  while ((await client.topicConfig(topic)).get('max.message.bytes') !== `${bytes}`) await delay(5);
}
