import { setTimeout as sleep } from 'node:timers/promises';
import { openKafka } from '../../src/kafka/index.ts';
import { realClock } from '../../src/telemetry/index.ts';
import { batchOf } from '../../src/testing/topic-log-reader.ts';
import { cleanUp, type HubFolder } from '../cli/support/hub-folder.ts';
import { kafkaSettings, quietLog } from '../kafka/support/clients.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';
import { append, kafkaHub, numbered } from './support/kafka-hub.ts';
import { ThreeBrokers } from './support/three-brokers.ts';

const PATIENCE_MS = 60_000;
/** A broker ends and starts again. */
const TEST_MS = 180_000;

serverSuite('three brokers, of which one goes', [], () => {
  let three: ThreeBrokers;

  beforeAll(async () => {
    three = await ThreeBrokers.start();
  }, 120_000);
  afterEach(cleanUp);
  afterAll(async () => {
    await three.close();
  });

  const published = (folder: HubFolder, count: number) => async (): Promise<boolean> =>
    (await folder.published('out')).length >= count;

  /** Rounds of one record to each of six partitions; in the end what was acknowledged is there, in the order of the calls. */
  async function producing(driver: 'native' | 'kafkajs', name: string): Promise<Rounds> {
    await three.topic(name, { partitions: 6 });
    const settings = kafkaSettings({ driver, brokers: three.brokers.split(',') });
    const client = openKafka(settings, { clock: realClock, log: quietLog });
    const producer = await client.openProducer({});
    const rounds: Promise<unknown>[] = [];
    return {
      write: () => {
        const round = String(rounds.length).padStart(3, '0');
        const sends = [0, 1, 2, 3, 4, 5].map((partition) =>
          producer.send(name, partition, batchOf(name, partition, [round]).bytes),
        );
        rounds.push(Promise.all(sends));
      },
      stored: async () => {
        await Promise.all(rounds);
        await client.close();
        const { records } = await three.cluster.read(name);
        return [0, 1, 2, 3, 4, 5].map((wanted) =>
          records.flatMap(({ partition, value }) => (partition === wanted ? [value] : [])),
        );
      },
    };
  }

  test(
    'a leader goes while hub and both drivers write to several: what was acknowledged is there, in its order',
    async () => {
      const name = uniqueName('three');
      await three.topic(name, { partitions: 3 });
      const folder = await kafkaHub({ brokers: three.brokers, name });
      const hub = folder.run();
      const native = await producing('native', `${name}-native`);
      const kafkajs = await producing('kafkajs', `${name}-kafkajs`);
      let lines = 0;
      const write = async (): Promise<void> => {
        native.write();
        kafkajs.write();
        for (const file of ['a', 'b', 'c']) await append(folder, numbered(file, lines, lines + 200), `${file}.log`);
        lines += 200;
      };
      await write();
      await hub.until('it runs', published(folder, 600), PATIENCE_MS);
      await write();
      await three.withoutLeaderOf(name, async () => {
        for (let round = 0; round < 20; round++) {
          await write();
          await sleep(50);
        }
        await hub.until('it goes on with two', published(folder, 3 * lines), PATIENCE_MS);
      });
      await write();
      await hub.until('all are published', published(folder, 3 * lines), PATIENCE_MS);
      expect(await hub.end('SIGTERM')).toBe(0);
      const { records } = await three.cluster.read(name);
      for (const file of ['a', 'b', 'c']) {
        const ofFile = records.flatMap(({ value }) => (value!.startsWith(`{"n":"${file}`) ? [value] : []));
        expect(ofFile).toEqual(numbered(file, 0, lines));
      }
      const rounds = Array.from({ length: lines / 200 }, (_, number) => String(number).padStart(3, '0'));
      expect(await native.stored()).toEqual([0, 1, 2, 3, 4, 5].map(() => rounds));
      // Without idempotence a batch whose answer was lost is there twice.
      for (const partition of await kafkajs.stored()) expect([...new Set(partition)]).toEqual(rounds);
    },
    TEST_MS,
  );
});

interface Rounds {
  write(): void;
  stored(): Promise<(string | null)[][]>;
}
