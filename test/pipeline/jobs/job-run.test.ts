import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FastClock } from '../support/clock.ts';
import { fill, numbered } from '../support/fill.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { eventually, startTest, type Started, type TestPipeline } from '../support/pipeline.ts';
import { JobCluster } from './support/job-cluster.ts';

const LONG = 1e9;
const started: Started[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map(({ pipeline }) => pipeline.stop({ deadlineMs: 1000 })));
});

function world(partitions = 2): { log: MemoryLog; cluster: JobCluster } {
  return { log: new MemoryLog({ topics: { in: partitions, dead: 1 } }), cluster: new JobCluster() };
}

function start(test: TestPipeline): Started {
  const one = startTest(test);
  started.push(one);
  return one;
}

function saved(log: MemoryLog): (number | undefined)[] {
  return [...(log.savedOffsets.get('sink0')?.values() ?? [])];
}

const intent = (log: MemoryLog): Record<string, unknown> | undefined =>
  log.savedPositions.get('job.sink0')?.get('batch') as Record<string, unknown> | undefined;

test('a full range is closed over all partitions, processed, and its offsets saved', async () => {
  const { log, cluster } = world();
  await fill(log, 0, numbered(150));
  await fill(log, 1, numbered(30));
  const { pipeline } = start({ log, sinks: [cluster.definition({ maxAgeMs: null })] });
  await eventually(() => saved(log).join() === '70,30');
  expect(cluster.drivers[0]!.batch).toMatchObject({
    topic: 'in',
    incarnation: 'AAAAAAAA',
    offsets: 100,
    attempt: 1,
    folder: null,
    ranges: [
      { partition: 0, from: 0, to: 70 },
      { partition: 1, from: 0, to: 30 },
    ],
  });
  await eventually(() => intent(log) === undefined);
  const [sink] = pipeline.status().sinks;
  expect(sink).toMatchObject({ state: 'running', records: 100, read: 100, inFlight: 0 });
  await eventually(() => pipeline.status().sinks[0]!.lag === 80);
  expect(cluster.drivers).toHaveLength(1);
});

test('what is less waits until it is old', async () => {
  const { log, cluster } = world();
  const clock = new FastClock();
  await fill(log, 0, numbered(7));
  start({ log, clock, sinks: [cluster.definition({ maxAgeMs: 3_600_000 })] });
  await eventually(() => log.subscriptions.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(cluster.drivers).toEqual([]);
  clock.skip(3_600_001);
  await eventually(() => saved(log).join() === '7,0');
});

test('once: everything up to the ends is processed, whatever is waited for', async () => {
  const { log, cluster } = world();
  await fill(log, 0, numbered(250));
  await fill(log, 1, numbered(3));
  const { pipeline } = start({ log, once: true, sinks: [cluster.definition({ maxAgeMs: null })] });
  expect(await pipeline.finished).toMatchObject({ outcome: 'drained', delivered: 253, inFlight: 0 });
  expect(saved(log)).toEqual([250, 3]);
  expect(cluster.outputs.size).toBe(3);
  expect(cluster.offsets(0)).toEqual(Array.from({ length: 250 }, (_, offset) => offset));
});

test('the intent is saved before the job is asked for, with nothing known of one', async () => {
  const { log, cluster } = world();
  const seen: unknown[] = [];
  cluster.onSubmit = (batch) => seen.push([batch.id, intent(log)]);
  await fill(log, 0, numbered(100));
  start({ log, sinks: [cluster.definition()] });
  await eventually(() => saved(log)[0] === 100);
  const id = cluster.drivers[0]!.batch.id;
  expect(seen).toEqual([[id, expect.objectContaining({ id, handle: null, failures: 0 })]]);
  expect(id).toMatch(/^test\.sink0\.[0-9a-f]{16}$/);
});

test('another life adopts the job that runs, and saves what it did', async () => {
  const { log, cluster } = world();
  cluster.looksToEnd = LONG;
  await fill(log, 0, numbered(100));
  const first = start({ log, sinks: [cluster.definition()] });
  await eventually(() => intent(log)?.handle === 'driver-0');
  const report = await first.pipeline.stop({ deadlineMs: 1000 });
  // Nothing of the batch is in the hub: its intent is saved, and its job lives elsewhere.
  expect(report).toMatchObject({ drained: true, delivered: 0, inFlight: 0 });
  expect(first.pipeline.status().sinks[0]).toMatchObject({ read: 0, inFlight: 0, returned: 0 });
  expect(intent(log)).toMatchObject({ handle: 'driver-0' });
  cluster.looksToEnd = 1;
  start({ log, sinks: [cluster.definition()] });
  await eventually(() => saved(log)[0] === 100);
  expect(cluster.drivers).toHaveLength(1);
});

test('while a job is at work the lag grows with the topic, and shrinks by what the job says that it has passed', async () => {
  const { log, cluster } = world();
  cluster.looksToEnd = LONG;
  await fill(log, 0, numbered(100));
  const { pipeline } = start({ log, sinks: [cluster.definition()] });
  const lag = (): number => pipeline.status().sinks[0]!.lag;
  await eventually(() => lag() === 100 && cluster.drivers.length === 1);
  await fill(log, 1, numbered(30));
  await eventually(() => lag() === 130);
  cluster.passed = 70;
  await eventually(() => lag() === 60);
  expect(pipeline.status().sinks[0]!.behindMs).toBeGreaterThan(0);
  cluster.looksToEnd = 1;
  await eventually(() => saved(log).join() === '100,30');
});

test('an answer that is lost leaves two jobs of one batch, whose output is there once', async () => {
  const { log, cluster } = world();
  cluster.ways = ['lose_and_hide'];
  await fill(log, 0, numbered(100));
  const { pipeline, events } = start({ log, sinks: [cluster.definition()] });
  await eventually(() => saved(log)[0] === 100);
  expect(cluster.drivers.map(({ batch }) => batch.id)).toEqual([
    cluster.drivers[0]!.batch.id,
    cluster.drivers[0]!.batch.id,
  ]);
  expect(cluster.outputs.size).toBe(1);
  expect(cluster.repeats).toBe(1);
  expect(events).toContainEqual(expect.objectContaining({ state: 'degraded', reason: 'sink0: submitting: no answer' }));
  await eventually(() => pipeline.status().state === 'running');
});

test('a job that shows is not submitted again after its answer was lost', async () => {
  const { log, cluster } = world();
  cluster.ways = ['lose_reply'];
  cluster.looksToEnd = 5;
  await fill(log, 0, numbered(100));
  start({ log, sinks: [cluster.definition()] });
  await eventually(() => saved(log)[0] === 100);
  expect(cluster.drivers).toHaveLength(1);
});

test('a job that fails is tried again, then its ranges are dead letters and the next batch follows', async () => {
  const { log, cluster } = world();
  cluster.ways = ['fail', 'fail', 'fail'];
  await fill(log, 0, numbered(160));
  await fill(log, 1, numbered(40));
  const { pipeline, lines } = start({ log, sinks: [cluster.definition({ maxAgeMs: null })] });
  await eventually(() => saved(log).join() === '160,40');
  const [failed] = cluster.drivers;
  expect(cluster.drivers.map(({ batch }) => batch.attempt)).toEqual([1, 2, 3, 1]);
  const letters = log.readAll('dead');
  expect(letters.map(({ key, value }) => [key, JSON.parse(value!) as unknown])).toEqual([
    [failed!.batch.id, expect.objectContaining({ batch: failed!.batch.id, partition: 0, from: 0, to: 60 })],
    [failed!.batch.id, expect.objectContaining({ batch: failed!.batch.id, partition: 1, from: 0, to: 40 })],
  ]);
  expect(letters[0]!.headers).toMatchObject({
    'sluice.errors.code': 'JOB_FAILED',
    'sluice.errors.attempts': '3',
    '__connect.errors.exception.message': 'running driver-2: boom',
    '__connect.errors.offset': '0',
  });
  // The offsets are saved a moment before the batch is counted.
  await eventually(() => pipeline.status().sinks[0]!.records === 100);
  expect(pipeline.status().sinks[0]).toMatchObject({ records: 100, deadLettered: 100, read: 200 });
  expect(
    lines.filter(({ message }) => message === 'batch given up, its ranges are in the dead-letter topic'),
  ).toHaveLength(1);
});

test.each([
  ['asked to', { onFailure: 'pause' as const }, {}],
  ['without dead letters', {}, { topic: null }],
])('%s, a sink pauses at a batch that failed, and tries it again when told to', async (_, policy, deadLetter) => {
  const { log, cluster } = world();
  cluster.ways = ['fail', 'fail', 'fail'];
  await fill(log, 0, numbered(100));
  const { pipeline } = start({ log, deadLetter, sinks: [cluster.definition(policy)] });
  await eventually(() => pipeline.status().state === 'paused');
  expect(pipeline.status().reason).toMatch(
    /^sink0: batch test\.sink0\.\w+ failed 3 times: running driver-2: boom$|failed 3 times/,
  );
  expect(saved(log)).toEqual([0, 0]);
  pipeline.resume();
  await eventually(() => saved(log)[0] === 100);
  await eventually(() => pipeline.status().state === 'running');
  expect(log.readAll('dead')).toEqual([]);
});

test('a job that hangs is ended at its deadline and counts as failed', async () => {
  const { log, cluster } = world();
  const clock = new FastClock();
  cluster.ways = ['hang'];
  await fill(log, 0, numbered(100));
  const { lines } = start({ log, clock, sinks: [cluster.definition({ deadlineMs: 3_600_000 })] });
  await eventually(() => intent(log)?.handle === 'driver-0');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(cluster.ended).toEqual([]);
  clock.skip(3_600_000);
  await eventually(() => saved(log)[0] === 100);
  expect(cluster.ended).toEqual(['driver-0']);
  expect(cluster.drivers.map(({ batch }) => batch.attempt)).toEqual([1, 2]);
  expect(lines).toContainEqual(
    expect.objectContaining({
      message: 'job failed',
      fields: expect.objectContaining({ cause: 'running the job: it did not end within 3600 s' }) as object,
    }),
  );
});

test('a job that nobody remembers is submitted again, as no failure of its batch', async () => {
  const { log, cluster } = world();
  cluster.ways = ['forget', 'forget', 'forget', 'forget'];
  cluster.looksToEnd = 2;
  await fill(log, 0, numbered(100));
  start({ log, sinks: [cluster.definition()] });
  await eventually(() => saved(log)[0] === 100);
  expect(cluster.drivers.map(({ batch }) => batch.attempt)).toEqual([1, 1, 1, 1, 1]);
  expect(cluster.outputs.size).toBe(1);
  expect(cluster.repeats).toBe(4);
});

test('a queued job says why, and the leg is degraded until it runs', async () => {
  const { log, cluster } = world();
  cluster.ways = ['queue'];
  await fill(log, 0, numbered(100));
  const { pipeline } = start({ log, sinks: [cluster.definition()] });
  await eventually(() => pipeline.status().state === 'degraded');
  expect(pipeline.status().reason).toContain('no worker has room');
});

test('offsets that an operator moved end the job that is under way, and its batch is forgotten', async () => {
  const { log, cluster } = world();
  cluster.ways = ['hang'];
  await fill(log, 0, numbered(100));
  const first = start({ log, sinks: [cluster.definition()] });
  await eventually(() => intent(log)?.handle === 'driver-0');
  await first.pipeline.stop({ deadlineMs: 1000 });
  log.savedOffsets.get('sink0')!.set(0, 50);
  start({ log, sinks: [cluster.definition()] });
  await eventually(() => saved(log)[0] === 100);
  expect(cluster.ended).toEqual(['driver-0']);
  expect([...cluster.outputs.values()]).toEqual([
    [
      { partition: 0, from: 50, to: 100 },
      { partition: 1, from: 0, to: 0 },
    ],
  ]);
});

test('a batch whose offsets were saved in part succeeded: the rest is saved, and no job started', async () => {
  const { log, cluster } = world();
  cluster.ways = ['hang'];
  await fill(log, 0, numbered(60));
  await fill(log, 1, numbered(40));
  const first = start({ log, sinks: [cluster.definition()] });
  await eventually(() => intent(log)?.handle === 'driver-0');
  await first.pipeline.stop({ deadlineMs: 1000 });
  log.savedOffsets.get('sink0')!.set(0, 60);
  start({ log, sinks: [cluster.definition()] });
  await eventually(() => saved(log).join() === '60,40' && intent(log) === undefined);
  expect(cluster.drivers).toHaveLength(1);
});

test('without all partitions no batch is begun, and one under way is left alone', async () => {
  const { log, cluster } = world();
  cluster.looksToEnd = LONG;
  await fill(log, 0, numbered(100));
  const { pipeline } = start({ log, clock: new FastClock(1000), sinks: [cluster.definition({ deadlineMs: LONG })] });
  await eventually(() => intent(log)?.handle === 'driver-0');
  const [subscription] = log.subscriptions;
  await subscription!.revoke([1]);
  await eventually(() => pipeline.status().state === 'degraded');
  expect(pipeline.status().reason).toContain('all partitions');
  cluster.looksToEnd = 1;
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(saved(log)).toEqual([0, 0]);
  subscription!.assign([1]);
  await eventually(() => saved(log)[0] === 100);
  expect(cluster.drivers).toHaveLength(1);
});

test('a range is full by its bytes too', async () => {
  const { log, cluster } = world(1);
  for (let batch = 0; batch < 10; batch++) await fill(log, 0, ['x'.repeat(1000), 'y'.repeat(1000)]);
  start({ log, sinks: [cluster.definition({ maxAgeMs: null, maxBytes: 6000 })] });
  await eventually(() => cluster.outputs.size >= 2);
  const sizes = [...cluster.outputs.values()].map(([range]) => range!.to - range!.from);
  expect(sizes[0]).toBeGreaterThanOrEqual(6);
  expect(sizes[0]).toBeLessThanOrEqual(8);
});

describe('landing', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'landing-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('records are JSON lines in a folder of the batch, whole before the job is asked for, gone when it is done', async () => {
    const { log, cluster } = world();
    const seen: Record<string, string>[] = [];
    await fill(log, 0, ['{"a":1}', 'ä "quoted"\n']);
    await fill(log, 1, ['z']);
    const landing = { folder, values: 'text' as const, keep: false };
    cluster.looksToEnd = LONG;
    const { pipeline } = start({ log, sinks: [cluster.definition({ landing })] });
    await eventually(() => cluster.drivers.length === 1);
    const { batch } = cluster.drivers[0]!;
    expect(batch.folder).toBe(join(folder, batch.id));
    expect(await readdir(folder)).toEqual([batch.id]);
    for (const name of await readdir(batch.folder!))
      seen.push({ [name]: await readFile(join(batch.folder!, name), 'utf8') });
    const line = (partition: number, offset: number, value: string): string =>
      `${JSON.stringify({ topic: 'in', partition, offset, timestamp: '2023-11-14T22:13:20.000Z', key: null, value })}\n`;
    expect(seen.map((file) => Object.keys(file)[0])).toEqual(['_SUCCESS', 'part-00000.ndjson', 'part-00001.ndjson']);
    expect(seen[1]).toEqual({ 'part-00000.ndjson': line(0, 0, '{"a":1}') + line(0, 1, 'ä "quoted"\n') });
    expect(seen[2]).toEqual({ 'part-00001.ndjson': line(1, 0, 'z') });
    expect(JSON.parse(Object.values(seen[0]!)[0]!)).toMatchObject({
      batch: batch.id,
      topic: 'in',
      offsets: 3,
      records: 3,
      files: [
        { file: 'part-00000.ndjson', partition: 0, from: 0, to: 2, records: 2 },
        { file: 'part-00001.ndjson', partition: 1, from: 0, to: 1, records: 1 },
      ],
    });
    cluster.looksToEnd = 1;
    await eventually(() => saved(log).join() === '2,1');
    await pipeline.stop({ deadlineMs: 1000 });
    expect(await readdir(folder)).toEqual([]);
  });

  test('only the offsets of the range are landed, though a stored batch holds more', async () => {
    const { log, cluster } = world(1);
    await fill(log, 0, numbered(25));
    const landing = { folder, values: 'base64' as const, keep: true };
    const { pipeline } = start({ log, once: true, sinks: [cluster.definition({ maxRecords: 10, landing })] });
    expect(await pipeline.finished).toMatchObject({ outcome: 'drained' });
    const lines: { offset: number; value: string }[] = [];
    for (const { batch } of cluster.drivers) {
      const text = await readFile(join(batch.folder!, 'part-00000.ndjson'), 'utf8');
      for (const one of text.trimEnd().split('\n')) lines.push(JSON.parse(one) as (typeof lines)[number]);
    }
    expect(lines.map(({ offset }) => offset)).toEqual(Array.from({ length: 25 }, (_, offset) => offset));
    expect(Buffer.from(lines[24]!.value, 'base64').toString()).toBe('24');
  });
});
