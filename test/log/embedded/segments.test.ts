import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkDataFolder, readDataFolder, type CheckResult } from '../../../src/log/index.ts';
import { BufferPool, readBatchHeader } from '../../../src/record/index.ts';
import { storedBatch } from '../../../src/testing/index.ts';
import { LogReader } from '../../../src/testing/topic-log-reader.ts';
import { kafkaClasspath, runKafkaJava } from '../../support/kafka-tools.ts';
import { planOf } from './support/life.ts';
import { RealLog } from './support/real-log.ts';

let real: RealLog;

beforeEach(async () => {
  real = await RealLog.create();
});

afterEach(() => real.remove());

const plan = planOf('orders', { topic: { partitions: 1 } });
const folderOf = (): string => join(real.dataDir, 'topics', 'orders', '0');

/** So many batches of `perBatch` records, each of 100 bytes; the timestamps go up and down. */
async function fill(batches: number, perBatch: number, segmentBytes: number): Promise<void> {
  const log = await real.start([plan], { segmentBytes });
  for (let number = 0; number < batches; number++) {
    const records = Array.from({ length: perBatch }, (_, index) => ({
      value: `${number}.${index}`.padEnd(100, 'x'),
      timestamp: 1_790_000_000_000 + ((number * 7919) % 1000) * 1000 + index,
    }));
    await log.commit({ batches: [{ topic: 'orders', partition: 0, bytes: storedBatch(records), count: perBatch }] });
  }
  await real.stop();
}

test("Kafka's own tool accepts segments and indexes, those of a segment that a later start went on with too", async () => {
  const classpath = await kafkaClasspath();
  if (classpath === null) {
    console.warn("Kafka's dump-log tool needs Java and Maven, which are not here: skipped");
    return;
  }
  await fill(100, 10, 60_000);
  await fill(60, 10, 60_000);
  const names = await readdir(folderOf());
  const files = (suffix: string): string =>
    names
      .filter((name) => name.endsWith(suffix))
      .map((name) => join(folderOf(), name))
      .join(',');
  expect(names.filter((name) => name.endsWith('.log')).length).toBeGreaterThan(2);
  const log = await runKafkaJava(classpath, 'org.apache.kafka.tools.DumpLogSegments', ['--files', files('.log')]);
  const counts = [...log.stdout.matchAll(/ count: (\d+) .*?isvalid: true/g)].map(([, count]) => Number(count));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1600);
  expect(log.stdout).not.toMatch(/isvalid: false|invalid bytes/);
  for (const suffix of ['.index', '.timeindex']) {
    const index = await runKafkaJava(classpath, 'org.apache.kafka.tools.DumpLogSegments', ['--files', files(suffix)]);
    expect(index.stdout).toMatch(suffix === '.index' ? /offset: \d+ position: \d+/ : /timestamp: \d+ offset: \d+/);
    expect(index.stdout + index.stderr).not.toMatch(/[Mm]ismatch|not found|out of order/i);
  }
}, 120_000);

test('a seek finds its batch by the index, without one, and with one that lies', async () => {
  await fill(80, 10, 30_000);
  const expectSeeks = async (): Promise<void> => {
    const log = await real.start([plan]);
    const pool = new BufferPool({ budgetBytes: 1 << 20, bufferBytes: 4096 });
    const reader = await LogReader.open(log, { sink: 'sink', topic: 'orders', pool, fetchBytes: 4096 });
    for (const offset of [795, 0, 399, 400, 401, 799, 17]) {
      reader.subscription.seek(0, offset);
      const [first] = await reader.readChunk();
      expect(first).toMatchObject({
        offset,
        value: expect.stringContaining(`${Math.floor(offset / 10)}.${offset % 10}x`) as string,
      });
    }
    await real.stop();
  };
  await expectSeeks();
  const indexes = (await readdir(folderOf())).filter((name) => name.endsWith('.index'));
  for (const name of indexes) {
    const bytes = await readFile(join(folderOf(), name));
    for (let at = 4; at < bytes.length; at += 8) bytes.writeInt32BE(bytes.readInt32BE(at) + 1, at);
    await writeFile(join(folderOf(), name), bytes);
  }
  await expectSeeks();
  for (const name of indexes) await writeFile(join(folderOf(), name), '');
  await expectSeeks();
});

test('a view beside a running hub gives whole batches below the mark', async () => {
  await fill(30, 10, 10_000);
  await real.start([plan]);
  const view = await readDataFolder({ dataDir: real.dataDir });
  expect(view.topics.find(({ name }) => name === 'orders')).toMatchObject({
    ends: [300],
    starts: [0],
    owner: 'orders',
  });
  const offsets: number[] = [];
  for await (const chunk of view.read('orders', 0, { from: 25, to: 41 }))
    for (let at = 0; at < chunk.length; at += readBatchHeader(chunk, at).byteLength)
      offsets.push(readBatchHeader(chunk, at).baseOffset);
  expect(offsets).toEqual([20, 30, 40]);
  expect(() => view.read('orders', 1)).toThrow(expect.objectContaining({ code: 'TOPIC_UNKNOWN' }) as Error);
});

test('the check names the damaged file and the byte, and no other', async () => {
  await fill(30, 10, 10_000);
  const results = async (): Promise<CheckResult[]> => {
    const all: CheckResult[] = [];
    for await (const result of checkDataFolder({ dataDir: real.dataDir })) all.push(result);
    return all;
  };
  expect((await results()).filter(({ ok }) => !ok)).toEqual([]);
  const [, second] = (await readdir(folderOf())).filter((name) => name.endsWith('.log')).sort();
  const path = join(folderOf(), second!);
  const bytes = await readFile(path);
  bytes[200]! ^= 1;
  await writeFile(path, bytes);
  expect((await results()).filter(({ ok }) => !ok)).toEqual([
    { path, ok: false, detail: expect.stringContaining('the batch at byte 0 has a wrong checksum') as string },
  ]);
});
