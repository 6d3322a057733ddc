import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMPRESSIONS } from '../../src/record/compression.ts';
import { readBatchHeader, setBaseOffset } from '../../src/record/index.ts';
import { kafkaClasspath, runKafkaJava } from '../support/kafka-tools.ts';
import { fixtureFolder, kafkaBatches } from './support/kafka-batches.ts';
import { texts, allOf, sealed, viewOf, type Known } from './support/records.ts';

jest.setTimeout(180_000);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-kafka-client-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What `KafkaBatches.java` writes. */
const written = (count: number): Known[] =>
  Array.from({ length: count }, (_, i) => ({
    key: i % 3 === 0 ? null : Buffer.from(`key-${i}`),
    value: i % 7 === 0 ? null : Buffer.from(`value ${i} ${'x'.repeat((i * 37) % 600)}`),
    timestamp: 1_767_225_600_000 + i * 37 - (i % 4) * 1000,
    headers:
      i % 5 === 0
        ? ([
            ['repeated', Buffer.from(`${i}`)],
            ['repeated', null],
            ['größe', Buffer.alloc(0)],
          ] as const)
        : [],
  }));
const countOf = (codec: string): number => (codec === 'none' ? 40 : 600);

test.each(COMPRESSIONS)("reads what Kafka's Java client writes by %s", async (codec) => {
  const bytes = await readFile(join(fixtureFolder, `${codec}.bin`));
  expect(readBatchHeader(bytes, 0)).toMatchObject({ compression: codec, baseOffset: 1000, byteLength: bytes.length });
  const view = viewOf(bytes);
  expect(texts(allOf(view))).toEqual(texts(written(countOf(codec))));
  expect([view.offset(0), view.offset(view.count - 1)]).toEqual([1000, 1000 + view.count - 1]);
  expect(view.header(5, 'repeated')).toBeNull();
});

test("the fixtures are what today's client writes", async () => {
  const classpath = await kafkaClasspath();
  if (classpath === null) return;
  await kafkaBatches(classpath, 'write', folder);
  for (const codec of COMPRESSIONS) {
    const bytes = await readFile(join(folder, `${codec}.bin`));
    // What a codec makes of the records is its version's business.
    if (codec === 'none') expect(bytes).toEqual(await readFile(join(fixtureFolder, `${codec}.bin`)));
    expect(texts(allOf(viewOf(bytes)))).toEqual(texts(written(countOf(codec))));
  }
});

test("Kafka's own reader and its dump tool accept what we write, by every codec", async () => {
  const classpath = await kafkaClasspath();
  if (classpath === null) return;
  const records = written(600);
  const batches = COMPRESSIONS.map((codec, index) => {
    const batch = sealed(records, codec);
    setBaseOffset(batch, 0, index * records.length);
    return batch;
  });
  const file = join(folder, '00000000000000000000.log');
  await writeFile(file, Buffer.concat(batches));
  const latest = Math.max(...records.map(({ timestamp }) => timestamp));
  const expected = COMPRESSIONS.flatMap((codec, batch) => [
    `batch ${codec} ${latest}`,
    ...records.map((record, index) => lineOf(record, batch * records.length + index)),
  ]);
  expect((await kafkaBatches(classpath, 'read', file)).trim().split('\n')).toEqual(expected);
  const dump = await runKafkaJava(classpath, 'org.apache.kafka.tools.DumpLogSegments', [
    '--deep-iteration',
    '--files',
    file,
  ]);
  expect(dump.stdout.match(/^\| offset:/gm)).toHaveLength(5 * records.length);
  expect(dump.stdout.match(/isvalid: true/g)).toHaveLength(5);
  expect(dump.stdout).not.toMatch(/isvalid: false|invalid bytes/);
});

function lineOf({ key, value, timestamp, headers }: Known, offset: number): string {
  const inHeaders = headers.map(([name, content]) => ` ${hex(Buffer.from(name))}=${hex(content)}`);
  return `${offset} ${timestamp} ${hex(key)} ${hex(value)}${inHeaders.join('')}`;
}

function hex(bytes: Buffer | null): string {
  return bytes === null ? 'null' : `x${bytes.toString('hex')}`;
}
