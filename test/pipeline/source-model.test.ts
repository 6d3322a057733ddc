import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../src/api/index.ts';
import { FastClock } from './support/clock.ts';
import { MemoryLog } from './support/memory-log.ts';
import { eventually, sourceOf, startTest, type Started } from './support/pipeline.ts';

const scenario = fc.record({
  partitions: fc.integer({ min: 1, max: 3 }),
  keyed: fc.boolean(),
  partitionBy: fc.constantFrom<'source' | 'batch'>('source', 'batch'),
  emits: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 40 }),
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

function createWorld({ partitions, failingCommits }: Scenario): MemoryLog {
  const log: MemoryLog = new MemoryLog({
    topics: { in: partitions, dead: 1 },
    onCommit: async () => {
      await sleep(1);
      if (failingCommits.includes(log.commits)) throw new SluiceError('LOG_FULL', 'writing', { retryable: true });
    },
  });
  return log;
}

async function checkRewinding(scenario: Scenario): Promise<void> {
  const { emits, throwsAfter, killsAfterMs, keyed, partitionBy } = scenario;
  const total = emits.reduce((sum, count) => sum + count, 0);
  const log = createWorld(scenario);
  let runs = 0;
  const source = sourceOf(async (context) => {
    const throwsAt = throwsAfter[runs++] ?? Infinity;
    const saved = ((await context.load()).get('numbers') ?? { emit: 0, next: 0 }) as { emit: number; next: number };
    let { next } = saved;
    const waiting: Promise<void>[] = [];
    for (let emit = saved.emit; emit < emits.length; emit++) {
      if (emit >= throwsAt) throw new Error('the source broke');
      const batch = await context.batch();
      for (let end = next + emits[emit]!; next < end; next++) batch.append(Buffer.from(`{"n":${next}}`));
      waiting.push(context.emit(batch, { positions: [['numbers', { emit: emit + 1, next }]] }));
      if (emit % 3 === 0) await sleep(0);
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
  const numbers = log.readAll('in').map(({ value }) => (JSON.parse(value!) as { n: number }).n);
  expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, index) => index));
  expect(log.savedPositions.get('source0')?.get('numbers')).toEqual({ emit: emits.length, next: total });
  checkPlaces(scenario, log);
}

function checkPlaces({ keyed, partitionBy, partitions }: Scenario, log: MemoryLog): void {
  const places = new Map<string, Set<number>>();
  for (let partition = 0; partition < partitions; partition++) {
    const stored = log.read('in', partition);
    for (const { key, value } of stored) {
      if (keyed) expect(key).toBe(String((JSON.parse(value!) as { n: number }).n % 5));
      const stream = key ?? 'all';
      places.set(stream, (places.get(stream) ?? new Set<number>()).add(partition));
    }
    const numbers = stored.map(({ value }) => (JSON.parse(value!) as { n: number }).n);
    // The order of emission holds within every partition.
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
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
        emits.map(async (count, emit) => {
          await sleep(emit % 4);
          const batch = context.tryBatch();
          if (batch === null) return;
          const values = Array.from({ length: count }, (_, index) => `{"n":${index},"e":${emit}}`);
          for (const value of values) batch.append(Buffer.from(value));
          await context.emit(batch).then(
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
