import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crashPaths, type CrashPath } from '../../scripts/prove/crashes/crash-paths.ts';
import { crashRun } from '../../scripts/prove/crashes/crash-run.ts';
import { landingPoints } from '../../scripts/prove/sinks/spark/prove-landed.ts';
import { stepPoints } from '../../scripts/prove/sinks/spark/prove-ranges.ts';
import { openClient } from '../../scripts/prove/kafka/topics.ts';
import type { KafkaClient } from '../../src/kafka/index.ts';
import { crashPoints, type CrashPoint } from '../../src/telemetry/index.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';

const SEED = 6;

test('every crash point lies on a path that is proven', () => {
  const onPaths = Object.values<CrashPath>(crashPaths).flatMap(({ first, points }) => [...first, ...points]);
  // Those of jobs lie on the rows of Spark in `npm run prove:sinks`, and between any two steps in test/pipeline/jobs/job-model.test.ts.
  expect(Object.keys(crashPoints).sort()).toEqual([...new Set([...onPaths, ...stepPoints, ...landingPoints])].sort());
});

serverSuite('a hub that ends at its crash points, the input growing all the time', ['kafka'], (where) => {
  let client: KafkaClient;
  let folder: string;
  let name: string;

  beforeAll(() => {
    client = openClient(where.kafka.brokers);
  });
  beforeEach(async () => {
    name = uniqueName('crash');
    folder = await mkdtemp(join(tmpdir(), 'sluice-crash-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    for (const topic of await client.topics(null))
      if (topic.name.startsWith(name)) await client.deleteTopic(topic.name);
  });
  afterAll(async () => {
    await client.close();
  });

  /** The proofs take all of them, with many seeds. What the embedded log does between its calls is tested beside it, call by call. */
  const some: Readonly<Record<keyof typeof crashPaths, readonly CrashPoint[]>> = {
    filesToKafka: ['after-prepare', 'produce-acknowledged', 'before-end-transaction', 'end-transaction-sent'],
    kafkaToKafka: ['before-end-transaction', 'end-transaction-sent'],
    filesToKafkaAtLeastOnce: ['before-checkpoint'],
    embeddedLog: ['snapshot-renamed', 'segment-created', 'frame-written'],
    kafkaToFiles: ['manifest-linked', 'dead-letter-acknowledged'],
  };

  test.each(Object.entries<CrashPath>(crashPaths).map(([key, path]) => ({ key: key as keyof typeof some, ...path })))(
    '$name: nothing is lost, and nothing is there twice where that is promised',
    async ({ key, ...path }) => {
      const place = { folder, brokers: where.kafka.brokers, client, name };
      const { count, notReached } = await crashRun(path, place, { seed: SEED, points: some[key] });
      expect(notReached).toEqual([]);
      expect(count).toMatchObject({
        lost: 0,
        strange: 0,
        ...(path.isExactlyOnce ? { duplicated: 0, reordered: 0 } : {}),
      });
    },
    180_000,
  );
});
