import { openKafka, type KafkaClient, type KafkaSettings } from '../../../src/kafka/index.ts';
import { kafkaClientContract, type KafkaClientSetting, type KafkaLack } from '../../../src/testing/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { uniqueName } from '../../support/servers.ts';
import { kafkaSettings, quietLog } from './clients.ts';

/** One test for each check of the contract. `brokers` is known when the tests run. */
export function defineContract(
  driver: KafkaSettings['driver'],
  brokers: () => string,
  lacks: readonly KafkaLack[] = [],
): void {
  const clients: KafkaClient[] = [];
  const setting: KafkaClientSetting = {
    name: uniqueName,
    lacks: new Set(lacks),
    open: (options = {}) => {
      const settings = kafkaSettings({ driver, brokers: [...(options.brokers ?? brokers().split(','))] });
      const onWait = options.onWait ?? (() => undefined);
      const client = openKafka(settings, { clock: realClock, log: quietLog, onWait });
      clients.push(client);
      return client;
    },
  };

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  test.each(kafkaClientContract)('$name', async ({ run }) => {
    await run(setting);
  });
}
