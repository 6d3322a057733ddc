import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/testing/index.ts';
import type { CrashPoint } from '../../src/telemetry/index.ts';
import { cleanUp, HubFolder } from '../cli/support/hub-folder.ts';
import { Cluster } from '../connectors/kafka/support/cluster.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';
import { consumeCommitted, exactFolder, GrowingFiles } from './support/exact-hub.ts';

const SEED = 6;
const RANDOM_KILLS = 3;
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
  });
  afterAll(async () => {
    await cluster.close();
  });

  test('from files, killed at every crash point and at random under load: everything once, in order', async () => {
    const { brokers } = where.kafka;
    const folder = await exactFolder(HubFolder.create, { brokers, name, source: "file: { include: ['*.log'] }" });
    const files = new GrowingFiles(folder.path, 3);
    const random = seededRandom(SEED);
    for (const point of sourcePoints) {
      Object.assign(folder.env, { SLUICE_TESTING: '1', SLUICE_CRASH_AT: `${point}:${1 + Math.floor(random() * 3)}` });
      await files.growUntilEnd(folder.run());
    }
    folder.env.SLUICE_CRASH_AT = '';
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      const hub = folder.run();
      const growing = files.growUntilEnd(hub);
      await sleep(1200 + random() * 1500);
      hub.signal('SIGKILL');
      await growing;
    }
    await files.grow();
    expect(await folder.run('--once').exit()).toBe(0);
    expect(files.judge(await consumeCommitted(brokers, name))).toMatchObject(nothingWrong);
  }, 180_000);
});
