import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GrowingFiles, GrowingTopic, type GrowingInput } from '../../scripts/prove/crashes/growing-input.ts';
import { cleanUp, type HubFolder, type HubProcess } from '../cli/support/hub-folder.ts';
import { Cluster } from '../connectors/kafka/support/cluster.ts';
import { proxiedKafka, serverSuite, uniqueName } from '../support/servers.ts';
import { exactHub, valuesIn, untilCommitted } from './support/exact-hub.ts';

const PATIENCE_MS = 60_000;
/** For how long hubs stand still beside what a takeover takes. */
const STANDSTILL_MS = Number(process.env.SLUICE_TEST_STANDSTILL_MS ?? 0);
const TEST_MS = 180_000 + 2 * STANDSTILL_MS;
const END_TXN = 26;
const nothingWrong = { lost: 0, duplicated: 0, reordered: 0, strange: 0 };

/** Hubs that stood still while others went on: what `kill -STOP`, a suspended machine or a long pause of a virtual one does. */
serverSuite('exactly once into Kafka', ['kafka'], (where) => {
  let cluster: Cluster;
  let name: string;

  beforeAll(() => {
    cluster = new Cluster(where.kafka.brokers);
  });
  beforeEach(() => {
    name = uniqueName('exact');
  });
  afterEach(async () => {
    await cleanUp();
    for (const topic of [name, `${name}.dead`, `${name}.from`]) await cluster.client.deleteTopic(topic);
  });
  afterAll(async () => {
    await cluster.close();
  });

  const kafkaSource = (): string =>
    `kafka: { brokers: ['${where.kafka.brokers}'], topics: ['${name}.from'], client: { session_timeout: 6s } }`;

  /** Grows while `work` runs, and resolves when all of it is committed. */
  async function underLoad(input: GrowingInput, to: Cluster, work: () => Promise<void>): Promise<void> {
    const growing = new AbortController();
    const load = input.growUntil(growing.signal);
    try {
      await work();
    } finally {
      growing.abort();
      await load;
    }
    await untilCommitted(to, name, input.written, PATIENCE_MS);
  }

  async function endAll(...hubs: HubProcess[]): Promise<void> {
    await Promise.all(hubs.map((hub) => hub.end('SIGTERM')));
  }

  test(
    'a hub that stands still while another takes its files over commits nothing when it goes on, and stops for good',
    async () => {
      const folder = await exactHub({ brokers: where.kafka.brokers, name });
      const files = new GrowingFiles(folder.path, 3);
      await files.grow();
      const first = folder.run();
      await untilCommitted(cluster, name, 1, PATIENCE_MS);
      let second!: HubProcess;
      await underLoad(files, cluster, async () => {
        await sleep(700);
        first.signal('SIGSTOP');
        second = await twin(folder);
        await untilCommitted(cluster, name, files.written, PATIENCE_MS);
        await sleep(STANDSTILL_MS);
        first.signal('SIGCONT');
        const saysWhy = (): boolean => first.output.includes('another hub with the same identity took over');
        await first.until('the first says why', saysWhy, PATIENCE_MS);
      });
      await endAll(first, second);
      expect(files.judge(await valuesIn(cluster, name))).toMatchObject(nothingWrong);
    },
    TEST_MS,
  );

  test(
    'a hub that stands still for longer than its transaction may last goes on with what is committed, and names the setting',
    async () => {
      const folder = await exactHub({ brokers: where.kafka.brokers, name, timeout: '5s' });
      const files = new GrowingFiles(folder.path, 3);
      await files.grow();
      const hub = folder.run();
      await untilCommitted(cluster, name, 1, PATIENCE_MS);
      await underLoad(files, cluster, async () => {
        const namesSetting = (): boolean =>
          hub.output.includes('lasted longer than client.transaction_timeout (5000 ms)');
        // It may have stood still between two transactions.
        for (let round = 0; round < 5 && !namesSetting(); round++) {
          hub.signal('SIGSTOP');
          await sleep(7500);
          hub.signal('SIGCONT');
          const before = files.written;
          await untilCommitted(cluster, name, before, PATIENCE_MS);
        }
        expect(namesSetting()).toBe(true);
      });
      await endAll(hub);
      expect(files.judge(await valuesIn(cluster, name))).toMatchObject(nothingWrong);
    },
    TEST_MS,
  );

  test(
    'a member of a group that stands still while another takes over its partitions commits nothing of them; then both share again',
    async () => {
      const topic = await GrowingTopic.create(cluster.client, `${name}.from`, 3);
      const options = { brokers: where.kafka.brokers, name, source: kafkaSource() };
      const [one, two] = [await exactHub(options), await exactHub({ ...options, host: 'h2' })];
      await topic.grow();
      const first = one.run();
      await untilCommitted(cluster, name, topic.written, PATIENCE_MS);
      let second!: HubProcess;
      await underLoad(topic, cluster, async () => {
        await sleep(700);
        first.signal('SIGSTOP');
        second = two.run();
        await untilCommitted(cluster, name, topic.written, PATIENCE_MS);
        await sleep(STANDSTILL_MS);
        first.signal('SIGCONT');
        await first.until('both have partitions', () => share(one, two), PATIENCE_MS);
      });
      await endAll(first, second);
      expect(topic.judge(await valuesIn(cluster, name))).toMatchObject(nothingWrong);
      const saved = await cluster.client.groupOffsets(`sluice.${name}.${name}.source.kafka`);
      expect(saved.reduce((sum, { next }) => sum + next, 0)).toBe(topic.written);
    },
    TEST_MS,
  );

  test(
    'from another cluster: ends of transactions whose answer is lost, and a hub that stands still while another takes its partitions',
    async () => {
      const { server, proxy } = await proxiedKafka();
      const target = new Cluster(proxy.address);
      try {
        const topic = await GrowingTopic.create(cluster.client, `${name}.from`, 3);
        const options = { brokers: proxy.address, name, source: kafkaSource() };
        const [one, two] = [await exactHub(options), await exactHub({ ...options, host: 'h2' })];
        await topic.grow();
        const first = one.run();
        await untilCommitted(target, name, topic.written, PATIENCE_MS);
        let second!: HubProcess;
        await underLoad(topic, target, async () => {
          for (let loss = 0; loss < 3; loss++)
            await proxy.loseReply({ request: (bytes) => bytes.length > 6 && bytes.readInt16BE(4) === END_TXN });
          first.signal('SIGSTOP');
          second = two.run();
          await untilCommitted(target, name, topic.written, PATIENCE_MS);
          await sleep(STANDSTILL_MS);
          first.signal('SIGCONT');
          await first.until('both have partitions', () => share(one, two), PATIENCE_MS);
        });
        await endAll(first, second);
        expect(topic.judge(await valuesIn(target, name))).toMatchObject(nothingWrong);
      } finally {
        await cleanUp();
        await target.close();
        proxy.close();
        await server.down();
      }
    },
    TEST_MS,
  );
});

/** The same hub on the same files, with a data folder of its own: somebody started a replacement. */
async function twin(folder: HubFolder): Promise<HubProcess> {
  const hub = await readFile(join(folder.path, 'sluice.yaml'), 'utf8');
  const other = hub.replace('data_dir: data', 'data_dir: data-2').replace(/^api: .*$/m, "api: 'off'");
  await folder.write('second.yaml', other);
  return folder.sluice('run', '--config', 'second.yaml');
}

/** Has each of them partitions? */
async function share(...folders: readonly HubFolder[]): Promise<boolean> {
  const pages = await Promise.all(folders.map((folder) => folder.api('/status')));
  return pages.every(({ body }) => /[12] partitions of/.test(body));
}
