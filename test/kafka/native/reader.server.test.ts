import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openKafka, type KafkaClient, type KafkaReader } from '../../../src/kafka/index.ts';
import { BufferPool } from '../../../src/record/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { seededRandom } from '../../../src/testing/index.ts';
import { madeTopic, readerOptions, send } from '../../../src/testing/kafka-client-setting.ts';
import { KafkaTap, valuesOf, type TappedRecord } from '../../../src/testing/kafka-tap.ts';
import { runKafkaJava, kafkaClasspath } from '../../support/kafka-tools.ts';
import { kafkaTool, ownServer, serverSuite, uniqueName } from '../../support/servers.ts';
import { kafkaSettings, quietLog } from '../support/clients.ts';

const writer = join(import.meta.dirname, 'fixtures', 'KafkaWriter.java');
const naming = { name: uniqueName };

serverSuite('reading partitions of a Kafka broker', ['kafka'], (where) => {
  let client: KafkaClient;
  const readers: KafkaReader[] = [];

  const open = (brokers: string): KafkaClient =>
    openKafka(kafkaSettings({ driver: 'native', brokers: brokers.split(',') }), { clock: realClock, log: quietLog });
  const tapOf = (options: Parameters<typeof readerOptions>[0] = {}, from = client): KafkaTap => {
    const reader = from.openReader(readerOptions(options));
    readers.push(reader);
    return new KafkaTap(reader);
  };

  beforeAll(() => {
    client = open(where.kafka.brokers);
  });
  afterEach(async () => {
    await Promise.all(readers.splice(0).map((reader) => reader.close()));
  });
  afterAll(() => client.close());

  /** All up to the end, each chunk where the one before ended. */
  async function readTo(tap: KafkaTap, topic: string, partition: number, end: number): Promise<TappedRecord[]> {
    tap.reader.seek(topic, partition, 0);
    const records: TappedRecord[] = [];
    for (let next = 0; next < end;) {
      const chunk = await tap.chunk();
      expect(chunk.from).toBe(next);
      next = chunk.next;
      records.push(...tap.take(chunk));
    }
    return records;
  }

  describe('that Kafka’s own producer wrote', () => {
    const codecs = uniqueName('codecs');
    const transactions = uniqueName('transactions');

    beforeAll(async () => {
      await client.createTopic({ name: codecs, partitions: 5, replicationFactor: 1 });
      await client.createTopic({ name: transactions, partitions: 1, replicationFactor: 1 });
      const classpath = (await kafkaClasspath())!;
      await runKafkaJava(classpath, writer, [where.kafka.brokers, codecs, transactions]);
    });

    test.each([
      ['none', 0],
      ['gzip', 1],
      ['snappy', 2],
      ['lz4', 3],
      ['zstd', 4],
    ])('records come by the codec %s', async (_, partition) => {
      const records = await readTo(tapOf({ fetchBytes: 9000 }), codecs, partition, 600);
      expect(records).toEqual(
        Array.from({ length: 600 }, (__, i) => ({
          partition,
          offset: i,
          key: i % 3 === 0 ? null : `key-${i}`,
          value: i % 7 === 0 ? null : `value ${i} ${'x'.repeat((i * 37) % 600)}`,
          timestamp: 1_767_225_600_000 + i,
          headers: [],
        })),
      );
    });

    test('of transactions only what was committed comes, by fetches of any size, up to the one that is open', async () => {
      const records = await readTo(tapOf({ isolation: 'read_uncommitted' }), transactions, 0, await ends('latest'));
      const all = valuesOf(records);
      const kept = all.filter((value) => value?.startsWith('keep'));
      // Some of what is aborted was never sent.
      expect(kept).toHaveLength(20 * 8 + 2 * 10 * 8);
      expect(all.length).toBeGreaterThan(kept.length + 50);
      const stable = await ends('stable');
      expect(stable).toBe(records.find(({ value }) => value === 'open')!.offset);
      for (const fetchBytes of [300, 2000, 65_536]) {
        const tap = tapOf({ fetchBytes });
        expect(valuesOf(await readTo(tap, transactions, 0, stable))).toEqual(kept);
        await tap.expectNothing();
        expect(tap.reader.end(transactions, 0)).toBe(stable);
      }
    });

    async function ends(at: 'latest' | 'stable'): Promise<number> {
      return (await client.offsets(transactions, at)).get(0)!;
    }
  });

  test('partitions are served in turn while all have more than one fetch takes', async () => {
    const topic = await madeTopic(client, { ...naming, open: () => client, lacks: new Set() }, { partitions: 6 });
    const producer = await client.openProducer({});
    const value = 'v'.repeat(20_000);
    for (let batch = 0; batch < 30; batch++)
      await Promise.all([0, 1, 2, 3, 4, 5].map((partition) => send(producer, topic, [value], { partition })));
    await producer.close();
    const tap = tapOf({ fetchBytes: 65_536 });
    for (let partition = 0; partition < 6; partition++) tap.reader.seek(topic, partition, 0);
    const next = [0, 0, 0, 0, 0, 0];
    while (Math.min(...next) < 30) {
      const chunk = await tap.chunk();
      const { partition } = chunk.partition;
      expect(chunk.from).toBe(next[partition]);
      next[partition] = chunk.next;
      chunk.release();
      const going = next.filter((offset) => offset < 30);
      if (going.length === 6) expect(Math.max(...next) - Math.min(...next)).toBeLessThanOrEqual(9);
    }
  });

  test('whatever was sought, paused and resumed meanwhile, nothing of before is delivered', async () => {
    const topic = await madeTopic(client, { ...naming, open: () => client, lacks: new Set() }, { partitions: 3 });
    const producer = await client.openProducer({});
    for (let batch = 0; batch < 40; batch++)
      await Promise.all(
        [0, 1, 2].map((partition) => send(producer, topic, [`${batch}-a`, `${batch}-b`], { partition })),
      );
    await producer.close();
    const random = seededRandom(11);
    const pool = new BufferPool({ budgetBytes: 32_768, bufferBytes: 4096 });
    const tap = tapOf({ fetchBytes: 400, pool });
    const wanted = [0, 0, 0];
    const isPaused = [false, false, false];
    for (const partition of [0, 1, 2]) tap.reader.seek(topic, partition, 0);
    for (let step = 0; step < 400; step++) {
      const partition = Math.floor(random() * 3);
      const choice = random();
      if (choice < 0.2) {
        wanted[partition] = Math.floor(random() * 80);
        isPaused[partition] = false;
        tap.reader.seek(topic, partition, wanted[partition]);
      } else if (choice < 0.35) {
        isPaused[partition] = true;
        tap.reader.pause(topic, partition);
      } else if (choice < 0.6) {
        isPaused[partition] = false;
        tap.reader.resume(topic, partition);
      } else if (choice < 0.7) await delay(random() * 4);
      if (isPaused.every((paused, index) => paused || wanted[index] === 80)) continue;
      const chunk = await tap.chunk();
      const got = chunk.partition.partition;
      expect([isPaused[got], chunk.from]).toEqual([false, wanted[got]]);
      const [first] = tap.take(chunk);
      expect(first).toMatchObject({
        offset: chunk.from,
        value: `${chunk.from >> 1}-${chunk.from % 2 === 0 ? 'a' : 'b'}`,
      });
      wanted[got] = chunk.next;
    }
    await tap.reader.close();
    expect(pool.usedBytes).toBe(0);
  });

  test('a resumed partition does not wait for the long poll of idle ones', async () => {
    const topic = await madeTopic(client, { ...naming, open: () => client, lacks: new Set() }, { partitions: 4 });
    const producer = await client.openProducer({});
    for (let batch = 0; batch < 20; batch++) await send(producer, topic, ['v'.repeat(1000)]);
    await producer.close();
    const tap = tapOf({ fetchBytes: 1500 });
    for (let partition = 0; partition < 4; partition++) tap.reader.seek(topic, partition, 0);
    const begun = performance.now();
    for (let next = 0; next < 20;) {
      const chunk = await tap.chunk();
      next = chunk.next;
      tap.reader.pause(topic, 0);
      chunk.release();
      await delay(10);
      tap.reader.resume(topic, 0);
    }
    // Twenty long polls of half a second would be ten.
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  test('what retention took is told, with what is left', async () => {
    const topic = await madeTopic(client, { ...naming, open: () => client, lacks: new Set() });
    const producer = await client.openProducer({});
    await send(producer, topic, ['a', 'b', 'c', 'd']);
    await producer.close();
    await deleteRecords(where.kafka.brokers, topic, 3);
    const tap = tapOf();
    tap.reader.seek(topic, 0, 1);
    expect(await tap.next('out-of-range')).toMatchObject({ offset: 1, earliest: 3, latest: 4 });
    tap.reader.seek(topic, 0, 3);
    expect(valuesOf(await tap.read(1))).toEqual(['d']);
  });

  test('a recreated topic is told from the one before, and read after a seek', async () => {
    const topic = await madeTopic(client, { ...naming, open: () => client, lacks: new Set() });
    const producer = await client.openProducer({});
    await send(producer, topic, ['old', 'older']);
    const tap = tapOf();
    tap.reader.seek(topic, 0, 0);
    const before = await tap.chunk();
    before.release();
    await client.deleteTopic(topic);
    await client.createTopic({ name: topic, partitions: 1, replicationFactor: 1 });
    const event = await tap.next('topic-changed');
    // A broker may tell of the end before it tells of the beginning.
    const { incarnation } = (await client.topics([topic]))[0]!;
    expect(incarnation).not.toBe(before.partition.incarnation);
    expect([null, incarnation]).toContain(event.incarnation);
    const fresh = await client.openProducer({});
    await send(fresh, topic, ['new', 'newer', 'newest']);
    tap.reader.seek(topic, 0, 0);
    const after = await tap.chunk();
    expect([after.partition.incarnation, after.from, after.next]).toEqual([incarnation, 0, 3]);
    expect(valuesOf(tap.take(after))).toEqual(['new', 'newer', 'newest']);
    await Promise.all([producer.close(), fresh.close()]);
  });

  test('while the broker is away it says so, and goes on where it was', async () => {
    const server = await ownServer('kafka');
    const own = open(server.where.brokers);
    try {
      const topic = await madeTopic(own, { ...naming, open: () => own, lacks: new Set() });
      const producer = await own.openProducer({});
      await send(producer, topic, ['a']);
      const tap = tapOf({}, own);
      tap.reader.seek(topic, 0, 0);
      expect(valuesOf(await tap.read(1))).toEqual(['a']);
      await server.kill();
      while (tap.reader.waitingFor === null) await delay(50);
      expect(tap.reader.waitingFor).toContain('127.0.0.1');
      await server.startAgain();
      await send(producer, topic, ['b']);
      expect(valuesOf(await tap.read(1))).toEqual(['b']);
      const waitsFor = (): string | null => tap.reader.waitingFor;
      while (waitsFor() !== null) await delay(20);
    } finally {
      await own.close();
      await server.down();
    }
  });
});

async function deleteRecords(brokers: string, topic: string, below: number): Promise<void> {
  const { writeFile, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const file = join(tmpdir(), `${topic}.json`);
  await writeFile(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset: below }] }));
  try {
    await kafkaTool('org.apache.kafka.tools.DeleteRecordsCommand', [
      '--bootstrap-server',
      brokers,
      '--offset-json-file',
      file,
    ]);
  } finally {
    await rm(file, { force: true });
  }
}
