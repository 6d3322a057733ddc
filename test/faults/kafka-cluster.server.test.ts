import { setTimeout as sleep } from 'node:timers/promises';
import { openKafka } from '../../src/kafka/index.ts';
import { realClock } from '../../src/telemetry/index.ts';
import { batchOf } from '../../src/testing/topic-log-reader.ts';
import { cleanUp, type HubFolder } from '../cli/support/hub-folder.ts';
import { Cluster } from '../connectors/kafka/support/cluster.ts';
import { kafkaSettings, quietLog } from '../kafka/support/clients.ts';
import { ownServer, serverSuite, uniqueName, type OwnServer } from '../support/servers.ts';
import { GrowingFiles } from '../../scripts/prove/crashes/growing-input.ts';
import { exactHub, untilCommitted, valuesIn } from './support/exact-hub.ts';
import { append, kafkaHub, numbered, says } from './support/kafka-hub.ts';

const PATIENCE_MS = 60_000;
/** What does not wait for the broker that is away takes no longer, on a busy machine either. */
const SECONDS_MS = 15_000;
/** A broker ends and starts again within each test. */
const TEST_MS = 180_000;
const FILES_WITH_CONDITION = `file: { path: out, roll: { age: 1s, idle: 100ms } }
    where: value.n != ""`;

serverSuite('three brokers, of which one goes', [], () => {
  let server: OwnServer<'kafka-cluster'>;
  let brokers: string;
  let cluster: Cluster;

  beforeAll(async () => {
    server = await ownServer('kafka-cluster');
    ({ brokers } = server.where);
    cluster = new Cluster(brokers);
  }, 120_000);
  afterEach(cleanUp);
  afterAll(async () => {
    await cluster.close();
    await server.down();
  });

  const published = (folder: HubFolder, count: number) => async (): Promise<boolean> =>
    (await folder.published('out')).length >= count;

  async function topic(
    name: string,
    { replicas = 3, inSync = 2, partitions = 1 }: { replicas?: number; inSync?: number; partitions?: number },
  ): Promise<void> {
    // Records with times of years ago are to stay.
    const config = { 'min.insync.replicas': `${inSync}`, 'retention.ms': '-1' };
    await cluster.client.createTopic({ name, partitions, replicationFactor: replicas, config });
  }

  /** By partition; -1 where there is none. */
  async function leadersOf(name: string): Promise<number[]> {
    const [found] = await cluster.client.topics([name]);
    return found!.partitions.map(({ leader }) => leader);
  }

  /** Of the first partition. */
  async function leaderOf(name: string): Promise<number> {
    return (await leadersOf(name))[0]!;
  }

  /** Kills the leader of the first partition, and has it back afterwards. */
  async function withoutLeaderOf(name: string, work: () => Promise<void>): Promise<void> {
    const broker = `broker-${await leaderOf(name)}`;
    await server.kill(broker);
    try {
      await work();
    } finally {
      await server.startAgain(broker);
    }
  }

  /** Once the cluster knows it of all of them: it marks one after the other. */
  async function untilLeaderless(name: string, partitions: readonly number[]): Promise<void> {
    for (;;) {
      const leaders = await leadersOf(name);
      if (partitions.every((partition) => leaders[partition] === -1)) return;
      await sleep(50);
    }
  }

  /** Rounds of one record to each of six partitions; in the end what was acknowledged is there, in the order of the calls. */
  async function producing(driver: 'native' | 'kafkajs', name: string): Promise<Rounds> {
    await topic(name, { partitions: 6 });
    const settings = kafkaSettings({ driver, brokers: brokers.split(',') });
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
        const { records } = await cluster.read(name);
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
      await topic(name, { partitions: 3 });
      const folder = await kafkaHub({ brokers, name });
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
      await withoutLeaderOf(name, async () => {
        for (let round = 0; round < 20; round++) {
          await write();
          await sleep(50);
        }
        await hub.until('it goes on with two', published(folder, 3 * lines), PATIENCE_MS);
      });
      await write();
      await hub.until('all are published', published(folder, 3 * lines), PATIENCE_MS);
      expect(await hub.end('SIGTERM')).toBe(0);
      const { records } = await cluster.read(name);
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

  test(
    'leaders of the topic and of transactions go, one after the other, while a hub writes exactly once: everything once, in order',
    async () => {
      const name = uniqueName('exact');
      await topic(name, { partitions: 3 });
      const folder = await exactHub({ brokers, name });
      const files = new GrowingFiles(folder.path, 3);
      const hub = folder.run();
      const growing = new AbortController();
      const load = files.growUntil(growing.signal);
      await untilCommitted(cluster, name, 1, PATIENCE_MS);
      for (const leading of [name, '__transaction_state'])
        await withoutLeaderOf(leading, () => untilCommitted(cluster, name, files.written, PATIENCE_MS));
      growing.abort();
      await load;
      await untilCommitted(cluster, name, files.written, PATIENCE_MS);
      expect(await hub.end('SIGTERM')).toBe(0);
      const count = files.judge(await valuesIn(cluster, name));
      expect(count).toMatchObject({ lost: 0, duplicated: 0, reordered: 0, strange: 0 });
    },
    TEST_MS,
  );

  test(
    'partitions without a leader: checkpoints of the others advance, the backlog is bounded, then each line is there once',
    async () => {
      const [name, budget, more] = [uniqueName('offline'), 16 * 1024 * 1024, 500];
      const files = Array.from({ length: 12 }, (_, number) => `f${String(number).padStart(2, '0')}-`);
      await topic(name, { replicas: 1, inSync: 1, partitions: 10 });
      const folder = await kafkaHub({ brokers, name, partitions: 10, hub: 'buffer_size: 16MiB' });
      const hub = folder.run();
      for (const file of files) await append(folder, numbered(file, 0, 100), `${file}.log`);
      await hub.until('it runs', published(folder, 100 * files.length), PATIENCE_MS);
      const { records } = await cluster.read(name);
      const partitionOf = new Map(records.map(({ value, partition }) => [value!.slice(6, 10), partition]));
      const lines = new Map(files.map((file) => [file, numbered(file, 0, 100)]));
      const write = async (file: string, from: number, count: number): Promise<void> => {
        const added = numbered(file, from, from + count).map((line) => line.replace('}', `,"${'x'.repeat(100)}":1}`));
        lines.set(file, [...lines.get(file)!, ...added]);
        await append(folder, added, `${file}.log`);
      };
      const sizeOf = (file: string): number => Buffer.byteLength(`${lines.get(file)!.join('\n')}\n`);
      const leaders = await leadersOf(name);
      const goes = leaders.flatMap((leader, partition) => (leader === leaders[0] ? [partition] : []));
      await withoutLeaderOf(name, async () => {
        await untilLeaderless(name, goes);
        const [offline, fine] = [
          files.filter((file) => goes.includes(partitionOf.get(file)!)),
          files.filter((file) => !goes.includes(partitionOf.get(file)!)),
        ];
        expect([offline.length > 0, fine.length > 0]).toEqual([true, true]);
        const behind = offline.map((file) => sizeOf(file));
        for (const file of [...offline, ...fine]) await write(file, 100, more);
        const areSaved = async (): Promise<boolean> => {
          const saved = await savedOffsets(cluster, name);
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
        const saved = await savedOffsets(cluster, name);
        expect(offline.map((file) => saved.get(`${file}.log`))).toEqual(behind);
      });
      const total = [...lines.values()].reduce((sum, { length }) => sum + length, 0);
      await hub.until('all are published', published(folder, total), PATIENCE_MS);
      expect(await hub.end('SIGTERM')).toBe(0);
      const stored = (await cluster.read(name)).records;
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
      await topic(dead, { replicas: 1, inSync: 1 });
      // One that keeps its leader: a leader that was elected with fewer replicas in sync than it takes tells no end of its partition (OFFSET_NOT_AVAILABLE).
      let name: string;
      do await topic((name = uniqueName('insync')), { inSync: 3 });
      while ((await leaderOf(name)) === (await leaderOf(dead)));
      await topic(other, {});
      const [few, refusing] = [
        await kafkaHub({ brokers, name }),
        await kafkaHub({ brokers, name: other, sink: FILES_WITH_CONDITION }),
      ];
      const [waiting, holding] = [few.run(), refusing.run()];
      const committed = async (): Promise<number> =>
        (await cluster.client.groupOffsets(`sluice.${other}.${other}.sink.file`))[0]?.next ?? 0;
      await append(few, numbered('a', 0, 100));
      await append(refusing, numbered('a', 0, 5));
      await waiting.until('one runs', published(few, 100), PATIENCE_MS);
      await holding.until('the other runs', published(refusing, 5), PATIENCE_MS);
      await withoutLeaderOf(dead, async () => {
        await append(few, numbered('a', 100, 2000));
        await append(refusing, ['poison', ...numbered('b', 0, 100)]);
        await waiting.until('it says why', says(few, /degraded: .*NOT_ENOUGH_REPLICAS/), PATIENCE_MS);
        expect(await cluster.values(name)).toEqual(numbered('a', 0, 100));
        await holding.until('it says why', says(refusing, /degraded: .*\.dead/), PATIENCE_MS);
        expect(await committed()).toBeLessThanOrEqual(5);
        await holding.end('SIGKILL');
      });
      const again = refusing.run();
      await waiting.until('all are published', published(few, 2000), PATIENCE_MS);
      // What was not saved when it was killed is there once more.
      const hasPassed = async (): Promise<boolean> => {
        const end = (await cluster.client.offsets(other, 'stable')).get(0)!;
        return end >= 106 && (await committed()) === end;
      };
      await again.until('the offset passes', hasPassed, PATIENCE_MS);
      expect([await waiting.end('SIGTERM'), await again.end('SIGTERM')]).toEqual([0, 0]);
      expect(await cluster.values(name)).toEqual(numbered('a', 0, 2000));
      // The one killed may have written it, too.
      expect(new Set(await cluster.values(dead))).toEqual(new Set(['poison']));
    },
    TEST_MS,
  );
});

interface Rounds {
  write(): void;
  stored(): Promise<(string | null)[][]>;
}

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
