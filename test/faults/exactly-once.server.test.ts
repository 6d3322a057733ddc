import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/testing/index.ts';
import type { CrashPoint } from '../../src/telemetry/index.ts';
import { cleanUp, HubFolder, type HubProcess } from '../cli/support/hub-folder.ts';
import { Cluster } from '../connectors/kafka/support/cluster.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';
import {
  committedIn,
  consumeCommitted,
  exactFolder,
  GrowingFiles,
  GrowingTopic,
  untilCommitted,
} from './support/exact-hub.ts';

const SEED = 6;
const RANDOM_KILLS = 2;
const PATIENCE_MS = 40_000;
const nothingWrong = { lost: 0, duplicated: 0, reordered: 0, strange: 0 };

const sourcePoints: readonly CrashPoint[] = [
  'after-read',
  'after-prepare',
  'produce-sent',
  'produce-acknowledged',
  'before-end-transaction',
  'end-transaction-sent',
  'before-client-acknowledged',
  'after-client-acknowledged',
];

serverSuite('exactly-once into Kafka', ['kafka'], (where) => {
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
    await cluster.client.deleteTopic(name);
    await cluster.client.deleteTopic(`${name}.dead`);
    await cluster.client.deleteTopic(`${name}.from`);
  });
  afterAll(async () => {
    await cluster.close();
  });

  const filesInto = (more: { hub?: string } = {}): Promise<HubFolder> =>
    exactFolder(HubFolder.create, {
      brokers: where.kafka.brokers,
      name,
      source: "file: { include: ['*.log'] }",
      ...more,
    });

  const fromTopic = (more: { hub?: string } = {}): Promise<HubFolder> => {
    const { brokers } = where.kafka;
    const client = 'client: { session_timeout: 6s }';
    const source = `kafka: { brokers: ['${brokers}'], topics: ['${name}.from'], ${client} }`;
    return exactFolder(HubFolder.create, { brokers, name, source, ...more });
  };

  /** One life for each crash point, then some that end at a random moment; the input grows all the time. */
  async function killAgainAndAgain(
    folder: HubFolder,
    points: readonly CrashPoint[],
    growUntilEnd: (hub: HubProcess) => Promise<void>,
  ): Promise<void> {
    const random = seededRandom(SEED);
    for (const point of points) {
      Object.assign(folder.env, { SLUICE_TESTING: '1', SLUICE_CRASH_AT: `${point}:${1 + Math.floor(random() * 3)}` });
      await growUntilEnd(folder.run());
    }
    folder.env.SLUICE_CRASH_AT = '';
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      const hub = folder.run();
      const growing = growUntilEnd(hub);
      await sleep(1200 + random() * 1500);
      hub.signal('SIGKILL');
      await growing;
    }
  }

  test('from files, killed at every crash point and at random under load: everything once, in order', async () => {
    const folder = await filesInto();
    const files = new GrowingFiles(folder.path, 3);
    await killAgainAndAgain(folder, sourcePoints, (hub) => files.growUntilEnd(hub));
    await files.grow();
    expect(await folder.run('--once').exit()).toBe(0);
    expect(files.judge(await consumeCommitted(where.kafka.brokers, name))).toMatchObject(nothingWrong);
  }, 180_000);

  test('from a topic of the same cluster, killed in and around the end of transactions: everything once, in order', async () => {
    const topic = await GrowingTopic.create(cluster, `${name}.from`, 3);
    const folder = await fromTopic({ hub: 'host: h1' });
    const points = ['produce-acknowledged', 'before-end-transaction', 'end-transaction-sent'] as const;
    await killAgainAndAgain(folder, points, (hub) => topic.growUntilEnd(hub));
    await topic.grow();
    expect(await folder.run('--once').exit()).toBe(0);
    expect(topic.judge(await consumeCommitted(where.kafka.brokers, name))).toMatchObject(nothingWrong);
    const saved = await cluster.client.groupOffsets(`sluice.${name}.${name}.source.kafka`);
    expect(saved.reduce((sum, { next }) => sum + next, 0)).toBe(topic.written);
  }, 180_000);

  test('stopped while another hub with the same files takes over: it commits nothing when it goes on, and says why', async () => {
    const folder = await filesInto({ hub: 'host: h1' });
    const files = new GrowingFiles(folder.path, 3);
    await files.grow();
    const first = folder.run();
    await untilCommitted(cluster, name, 1, PATIENCE_MS);
    const growing = new AbortController();
    const load = files.growUntil(growing.signal);
    await sleep(700);
    first.signal('SIGSTOP');
    const hubFile = await readFile(join(folder.path, 'sluice.yaml'), 'utf8');
    const other = hubFile.replace('data_dir: data', 'data_dir: data-2').replace(/^api: .*$/m, "api: 'off'");
    await folder.write('second.yaml', other);
    const second = folder.sluice('run', '--config', 'second.yaml');
    const soFar = files.written;
    await untilCommitted(cluster, name, soFar, PATIENCE_MS);
    first.signal('SIGCONT');
    await first.until('the first says why', () => /took (it )?over/.test(first.stdout + first.stderr), PATIENCE_MS);
    growing.abort();
    await load;
    await untilCommitted(cluster, name, files.written, PATIENCE_MS);
    await Promise.all([first.end('SIGTERM'), second.end('SIGTERM')]);
    expect(files.judge(await committedIn(cluster, name))).toMatchObject(nothingWrong);
  }, 120_000);

  test('a member that was stopped while another took over its partitions commits nothing of them', async () => {
    const topic = await GrowingTopic.create(cluster, `${name}.from`, 3);
    const [one, two] = [await fromTopic({ hub: 'host: h1' }), await fromTopic({ hub: 'host: h2' })];
    const first = one.run();
    await topic.grow();
    await untilCommitted(cluster, name, topic.written, PATIENCE_MS);
    const growing = new AbortController();
    const load = topic.growUntil(growing.signal);
    await sleep(700);
    first.signal('SIGSTOP');
    const second = two.run();
    await untilCommitted(cluster, name, topic.written, PATIENCE_MS);
    first.signal('SIGCONT');
    // Both go on with a part each.
    await sleep(3000);
    growing.abort();
    await load;
    await untilCommitted(cluster, name, topic.written, PATIENCE_MS);
    await Promise.all([first.end('SIGTERM'), second.end('SIGTERM')]);
    expect(topic.judge(await committedIn(cluster, name))).toMatchObject(nothingWrong);
  }, 120_000);
});
