import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../src/api/index.ts';
import { FastClock } from './support/clock.ts';
import { MemoryLog } from './support/memory-log.ts';
import { eventually, sourceOf, startTest, type Started } from './support/pipeline.ts';

const scenario = fc.record({
  partitions: fc.integer({ min: 1, max: 3 }),
  /** Commits of several partitions at a time, which end in any order. */
  apart: fc.boolean(),
  commitsMs: fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 7 }),
  keyed: fc.boolean(),
  partitionBy: fc.constantFrom<'source' | 'batch'>('source', 'batch'),
  emits: fc.array(
    fc.record({
      file: fc.integer({ min: 0, max: 3 }),
      count: fc.integer({ min: 0, max: 60 }),
      /** Carries the positions of all files. */
      all: fc.boolean(),
    }),
    { minLength: 1, maxLength: 40 },
  ),
  /** Which commits fail, and which runs throw after so many emits. */
  failingCommits: fc.uniqueArray(fc.nat({ max: 12 }), { maxLength: 5 }),
  throwsAfter: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
  killsAfterMs: fc.array(fc.nat({ max: 8 }), { maxLength: 3 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

describe('the source runner', () => {
  test('a source that rewinds is exact: records and positions agree, whatever is rejected or restarted', async () => {
    await fc.assert(fc.asyncProperty(scenario, checkRewinding), { numRuns: 120, endOnFailure: true });
  }, 60_000);

  test('a source that cannot rewind has in the topic what was acknowledged, once', async () => {
    await fc.assert(fc.asyncProperty(scenario, checkPushing), { numRuns: 120, endOnFailure: true });
  }, 60_000);
});

function createWorld({ partitions, apart, commitsMs, failingCommits }: Scenario): MemoryLog {
  const log: MemoryLog = new MemoryLog({
    topics: { in: partitions, dead: 1 },
    partitionsFailApart: apart,
    onCommit: async () => {
      const number = log.commits;
      await sleep(commitsMs[number % commitsMs.length]);
      if (failingCommits.includes(number)) throw new SluiceError('LOG_FULL', 'writing', { retryable: true });
    },
  });
  return log;
}

const FILES = [0, 1, 2, 3];

async function checkRewinding(scenario: Scenario): Promise<void> {
  const { emits, throwsAfter, killsAfterMs, keyed, partitionBy } = scenario;
  const log = createWorld(scenario);
  let runs = 0;
  const source = sourceOf(async (context) => {
    const throwsAt = throwsAfter[runs++] ?? Infinity;
    const saved = await context.load();
    const stands = FILES.map(
      (file) => (saved.get(`file ${file}`) ?? { emit: 0, next: 0 }) as { emit: number; next: number },
    );
    const waiting: Promise<void>[] = [];
    for (const [index, { file, count, all }] of emits.entries()) {
      let { emit, next } = stands[file]!;
      if (index < emit) continue;
      if (index >= throwsAt) throw new Error('the source broke');
      const batch = await context.batch();
      for (const end = next + count; next < end; next++) batch.append(Buffer.from(`{"n":${next},"file":${file}}`));
      emit = index + 1;
      stands[file] = { emit, next };
      const carried = all ? FILES : [file];
      const positions = carried.map((of) => [`file ${of}`, { ...stands[of]! }] as const);
      waiting.push(context.emit(batch, { stream: `file ${file}`, positions }));
      if (index % 3 === 0) await sleep(0);
    }
    await Promise.all(waiting);
  });
  const start = (): Started =>
    startTest({
      log,
      sources: [source],
      source: { key: keyed ? 'value.n % 5' : null, partitionBy },
      bufferBytes: 512 * 1024,
      clock: new FastClock(500),
    });
  let started = start();
  for (const delayMs of killsAfterMs) {
    await sleep(delayMs);
    await started.pipeline.stop({ deadlineMs: 0 });
    await log.close();
    started = start();
  }
  await eventually(() => started.pipeline.status().sources[0]!.state === 'done', 10_000);
  await started.pipeline.stop({ deadlineMs: 1000 });
  const stored = log.readAll('in').map(({ value }) => JSON.parse(value!) as { n: number; file: number });
  for (const file of FILES) {
    const ofFile = emits.filter((emit) => emit.file === file);
    const total = ofFile.reduce((sum, { count }) => sum + count, 0);
    const numbers = stored.flatMap((record) => (record.file === file ? [record.n] : []));
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, index) => index));
    const position = log.savedPositions.get('source0')?.get(`file ${file}`) as { next: number } | undefined;
    expect(position?.next ?? 0).toBe(total);
  }
  checkPlaces(scenario, log);
}

function checkPlaces({ keyed, partitionBy, partitions }: Scenario, log: MemoryLog): void {
  const places = new Map<string, Set<number>>();
  for (let partition = 0; partition < partitions; partition++) {
    const last = [-1, -1, -1, -1];
    for (const { key, value } of log.read('in', partition)) {
      const { n, file } = JSON.parse(value!) as { n: number; file: number };
      if (keyed) expect(key).toBe(String(n % 5));
      const stream = key ?? `${file}`;
      places.set(stream, (places.get(stream) ?? new Set<number>()).add(partition));
      // The order of a file holds within every partition.
      expect(n).toBeGreaterThan(last[file]!);
      last[file] = n;
    }
  }
  if (keyed || partitionBy === 'source') for (const at of places.values()) expect(at.size).toBe(1);
}

async function checkPushing(scenario: Scenario): Promise<void> {
  const { emits, keyed, partitionBy } = scenario;
  const log = createWorld(scenario);
  const acknowledged: string[] = [];
  const source = sourceOf(
    async (context) => {
      await Promise.all(
        emits.map(async ({ file, count }, emit) => {
          await sleep(emit % 4);
          const batch = context.tryBatch();
          if (batch === null) return;
          const values = Array.from({ length: count }, (_, index) => `{"n":${index},"e":${emit}}`);
          for (const value of values) batch.append(Buffer.from(value));
          await context.emit(batch, { stream: `file ${file}` }).then(
            () => acknowledged.push(...values),
            () => undefined,
          );
        }),
      );
    },
    { rewinds: false },
  );
  const { pipeline } = startTest({
    log,
    sources: [source],
    source: { key: keyed ? 'value.n % 5' : null, partitionBy },
    clock: new FastClock(50),
  });
  await eventually(() => pipeline.status().sources[0]!.state === 'done');
  const stored = log.readAll('in').map(({ value }) => value!);
  expect(stored.sort()).toEqual(acknowledged.sort());
  expect(pipeline.status().sources[0]).toMatchObject({ records: stored.length, inFlight: 0 });
  await pipeline.stop({ deadlineMs: 1000 });
}
