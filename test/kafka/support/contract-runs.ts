import { openKafka, type KafkaClient, type KafkaSettings } from '../../../src/kafka/index.ts';
import { kafkaClientContract, type KafkaClientCheck, type KafkaLack } from '../../../src/testing/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { FastClock } from '../../pipeline/support/clock.ts';
import { uniqueName } from '../../support/servers.ts';
import { kafkaSettings, quietLog } from './clients.ts';

/** Checks mostly wait: for time to pass in which nothing happens, for topics that do not exist. */
const AT_ONCE = 10;

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
  const outcomes = new Map<KafkaClientCheck, Promise<unknown>>();

  beforeAll(() => {
    const waiting = kafkaClientContract.map((check) => ({ check, outcome: Promise.withResolvers<unknown>() }));
    for (const { check, outcome } of waiting) {
      outcome.promise.catch(() => undefined);
      outcomes.set(check, outcome.promise);
    }
    const takeTurn = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const ran = runCheck(next.check, { driver, brokers: brokers(), lacks });
        await ran.then(next.outcome.resolve, next.outcome.reject);
      }
    };
    for (let turn = 0; turn < AT_ONCE; turn++) void takeTurn();
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
        const clock = options.pace === undefined ? realClock : new FastClock(options.pace);
        const client = openKafka(settings, { clock, log: quietLog, onWait });
        clients.push(client);
        return client;
      },
    });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}
