import { setTimeout as sleep } from 'node:timers/promises';
import { GrowingFiles } from '../../scripts/prove/crashes/growing-input.ts';
import type { Cluster } from '../connectors/kafka/support/cluster.ts';
import { cleanUp, type HubFolder } from '../cli/support/hub-folder.ts';
import { serverSuite, uniqueName } from '../support/servers.ts';
import { exactHub, untilCommitted, valuesIn } from './support/exact-hub.ts';
import { append, kafkaHub, numbered, says } from './support/kafka-hub.ts';
import { ThreeBrokers } from './support/three-brokers.ts';

const PATIENCE_MS = 60_000;
/** What does not wait for the broker that is away takes no longer, on a busy machine either. */
const SECONDS_MS = 15_000;
/** A broker ends and starts again within each test. */
const TEST_MS = 180_000;
const FILES_WITH_CONDITION = `file: { path: out, roll: { age: 1s, idle: 100ms } }
    where: value.n != ""`;

/** Longer than every run of the tests may take: `npm run prove:delivery` runs it. */
serverSuite('three brokers, of which one goes for longer', [], () => {
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

  test(
    'leaders of the topic and of transactions go, one after the other, while a hub writes exactly once: everything once, in order',
    async () => {
      const name = uniqueName('exact');
      await three.topic(name, { partitions: 3 });
      const folder = await exactHub({ brokers: three.brokers, name });
      const files = new GrowingFiles(folder.path, 3);
      const hub = folder.run();
      const growing = new AbortController();
      const load = files.growUntil(growing.signal);
      await untilCommitted(three.cluster, name, 1, PATIENCE_MS);
      for (const leading of [name, '__transaction_state'])
        await three.withoutLeaderOf(leading, () => untilCommitted(three.cluster, name, files.written, PATIENCE_MS));
      growing.abort();
      await load;
      await untilCommitted(three.cluster, name, files.written, PATIENCE_MS);
      expect(await hub.end('SIGTERM')).toBe(0);
      const count = files.judge(await valuesIn(three.cluster, name));
      expect(count).toMatchObject({ lost: 0, duplicated: 0, reordered: 0, strange: 0 });
    },
    TEST_MS,
  );

  test(
    'partitions without a leader: checkpoints of the others advance, the backlog is bounded, then each line is there once',
    async () => {
      const [name, budget, more] = [uniqueName('offline'), 16 * 1024 * 1024, 500];
      const files = Array.from({ length: 12 }, (_, number) => `f${String(number).padStart(2, '0')}-`);
      await three.topic(name, { replicas: 1, inSync: 1, partitions: 10 });
      const folder = await kafkaHub({ brokers: three.brokers, name, partitions: 10, hub: 'buffer_size: 16MiB' });
      const hub = folder.run();
      for (const file of files) await append(folder, numbered(file, 0, 100), `${file}.log`);
      await hub.until('it runs', published(folder, 100 * files.length), PATIENCE_MS);
      const { records } = await three.cluster.read(name);
      const partitionOf = new Map(records.map(({ value, partition }) => [value!.slice(6, 10), partition]));
      const lines = new Map(files.map((file) => [file, numbered(file, 0, 100)]));
      const write = async (file: string, from: number, count: number): Promise<void> => {
        const added = numbered(file, from, from + count).map((line) => line.replace('}', `,"${'x'.repeat(100)}":1}`));
        lines.set(file, [...lines.get(file)!, ...added]);
        await append(folder, added, `${file}.log`);
      };
      const sizeOf = (file: string): number => Buffer.byteLength(`${lines.get(file)!.join('\n')}\n`);
      const leaders = await three.leadersOf(name);
      const goes = leaders.flatMap((leader, partition) => (leader === leaders[0] ? [partition] : []));
      await three.withoutLeaderOf(name, async () => {
        await three.untilLeaderless(name, goes);
        const [offline, fine] = [
          files.filter((file) => goes.includes(partitionOf.get(file)!)),
          files.filter((file) => !goes.includes(partitionOf.get(file)!)),
        ];
        expect([offline.length > 0, fine.length > 0]).toEqual([true, true]);
        const behind = offline.map((file) => sizeOf(file));
        for (const file of [...offline, ...fine]) await write(file, 100, more);
        const areSaved = async (): Promise<boolean> => {
          const saved = await savedOffsets(three.cluster, name);
          return fine.every((file) => saved.get(`${file}.log`) === sizeOf(file));
        };
        await hub.until('the others are saved', areSaved, PATIENCE_MS);
        const readable = 100 * files.length + more * fine.length;
        await hub.until('the others are published', published(folder, readable), SECONDS_MS);
        // More than all record buffers take.
        const many = Math.ceil((2 * budget) / offline.length / 120);
        for (const file of offline) await write(file, 100 + more, many);
        let held = 0;
        const isWaiting = async (): Promise<boolean> => {
          const before = await recordsInFlight(folder);
          await sleep(500);
          held = await recordsInFlight(folder);
          return held > more * offline.length && held === before;
        };
        await hub.until('the source waits', isWaiting, PATIENCE_MS);
        expect(held * 120).toBeLessThan(budget);
        const saved = await savedOffsets(three.cluster, name);
        expect(offline.map((file) => saved.get(`${file}.log`))).toEqual(behind);
      });
      const total = [...lines.values()].reduce((sum, { length }) => sum + length, 0);
      await hub.until('all are published', published(folder, total), PATIENCE_MS);
      expect(await hub.end('SIGTERM')).toBe(0);
      const stored = (await three.cluster.read(name)).records;
      for (const file of files) {
        const ofFile = stored.flatMap(({ value }) => (value!.slice(6, 10) === file ? [value] : []));
        expect(ofFile).toEqual(lines.get(file));
      }
    },
    TEST_MS,
  );

  test(
    'too few replicas for records or for dead letters: it says so, passes nothing, and goes on by itself',
    async () => {
      const other = uniqueName('dead');
      const dead = `${other}.dead`;
      await three.topic(dead, { replicas: 1, inSync: 1 });
      // One that keeps its leader: a leader that was elected with fewer replicas in sync than it takes tells no end of its partition (OFFSET_NOT_AVAILABLE).
      let name: string;
      do await three.topic((name = uniqueName('insync')), { inSync: 3 });
      while ((await three.leaderOf(name)) === (await three.leaderOf(dead)));
      await three.topic(other, {});
      const [few, refusing] = [
        await kafkaHub({ brokers: three.brokers, name }),
        await kafkaHub({ brokers: three.brokers, name: other, sink: FILES_WITH_CONDITION }),
      ];
      const [waiting, holding] = [few.run(), refusing.run()];
      const committed = async (): Promise<number> =>
        (await three.cluster.client.groupOffsets(`sluice.${other}.${other}.sink.file`))[0]?.next ?? 0;
      await append(few, numbered('a', 0, 100));
      await append(refusing, numbered('a', 0, 5));
      await waiting.until('one runs', published(few, 100), PATIENCE_MS);
      await holding.until('the other runs', published(refusing, 5), PATIENCE_MS);
      await three.withoutLeaderOf(dead, async () => {
        await append(few, numbered('a', 100, 2000));
        await append(refusing, ['poison', ...numbered('b', 0, 100)]);
        await waiting.until('it says why', says(few, /degraded: .*NOT_ENOUGH_REPLICAS/), PATIENCE_MS);
        expect(await three.cluster.values(name)).toEqual(numbered('a', 0, 100));
        await holding.until('it says why', says(refusing, /degraded: .*\.dead/), PATIENCE_MS);
        expect(await committed()).toBeLessThanOrEqual(5);
        await holding.end('SIGKILL');
      });
      const again = refusing.run();
      await waiting.until('all are published', published(few, 2000), PATIENCE_MS);
      // What was not saved when it was killed is there once more.
      const hasPassed = async (): Promise<boolean> => {
        const end = (await three.cluster.client.offsets(other, 'stable')).get(0)!;
        return end >= 106 && (await committed()) === end;
      };
      await again.until('the offset passes', hasPassed, PATIENCE_MS);
      expect([await waiting.end('SIGTERM'), await again.end('SIGTERM')]).toEqual([0, 0]);
      expect(await three.cluster.values(name)).toEqual(numbered('a', 0, 2000));
      // The one killed may have written it, too.
      expect(new Set(await three.cluster.values(dead))).toEqual(new Set(['poison']));
    },
    TEST_MS,
  );
});

/** How far files were read, as last saved, by their names. */
async function savedOffsets(cluster: Cluster, pipeline: string): Promise<Map<string, number>> {
  const { records } = await cluster.read('__sluice_checkpoints');
  const positions = records.flatMap(({ key, value }) =>
    value !== null && key!.startsWith(`${pipeline}/${pipeline}/source/`)
      ? [(JSON.parse(value) as { content: { path: string; offset: number } }).content]
      : [],
  );
  return new Map(positions.map(({ path, offset }) => [path.slice(path.lastIndexOf('/') + 1), offset]));
}

async function recordsInFlight(folder: HubFolder): Promise<number> {
  const { body } = await folder.api('/status');
  const { pipelines } = JSON.parse(body) as { pipelines: { sources: { inFlight: number }[] }[] };
  return pipelines[0]!.sources[0]!.inFlight;
}
