import { openKafka, type KafkaClient, type KafkaSettings } from '../../../src/kafka/index.ts';
import { kafkaClientContract, type KafkaClientCheck, type KafkaLack } from '../../../src/testing/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { uniqueName } from '../../support/servers.ts';
import { kafkaSettings, quietLog } from './clients.ts';

/** Checks mostly wait: for time to pass in which nothing happens, for topics that do not exist. */
const AT_ONCE = 6;

interface ContractRun {
  readonly driver: KafkaSettings['driver'];
  /** `host:port`, with commas between them. */
  readonly brokers: string;
  readonly lacks: readonly KafkaLack[];
}

/** One test for each check of the contract; they run several at a time. `brokers` is called when they are up, `lacks` says what the contract is spared. */
export function defineContract(
  driver: KafkaSettings['driver'],
  brokers: () => string,
  lacks: readonly KafkaLack[] = [],
): void {
  const outcomes = new Map<KafkaClientCheck, Promise<void>>();

  beforeAll(() => {
    const turns = Array.from({ length: AT_ONCE }, () => Promise.resolve());
    for (const [index, check] of kafkaClientContract.entries()) {
      const outcome = turns[index % AT_ONCE]!.then(() => runCheck(check, { driver, brokers: brokers(), lacks }));
      turns[index % AT_ONCE] = outcome.catch(() => undefined);
      outcomes.set(check, outcome);
    }
  });

  test.each(kafkaClientContract)('$name', async (check) => {
    await outcomes.get(check);
  });
}

async function runCheck(check: KafkaClientCheck, { driver, brokers, lacks }: ContractRun): Promise<void> {
  const clients: KafkaClient[] = [];
  try {
    await check.run({
      name: uniqueName,
      lacks: new Set(lacks),
      open: (options = {}) => {
        const settings = kafkaSettings({ driver, brokers: [...(options.brokers ?? brokers.split(','))] });
        const onWait = options.onWait ?? (() => undefined);
        const client = openKafka(settings, { clock: realClock, log: quietLog, onWait });
        clients.push(client);
        return client;
      },
    });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}
