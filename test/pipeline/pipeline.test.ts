import { MemoryLog } from './support/memory-log.ts';
import { accepted, eventually, sinkOf, sourceOf, startTest, values } from './support/pipeline.ts';

/** Emits `count` numbered records, so many at a time, from its saved position on. */
const counter = (count: number, perEmit: number): ReturnType<typeof sourceOf> =>
  sourceOf(async (context) => {
    const saved = (await context.load()).get('numbers') as number | undefined;
    const emits: Promise<void>[] = [];
    for (let next = saved ?? 0; next < count;) {
      const batch = await context.batch();
      const end = Math.min(count, next + perEmit);
      for (; next < end; next++) batch.append(Buffer.from(String(next)));
      emits.push(context.emit(batch, { positions: [['numbers', next]] }));
    }
    await Promise.all(emits);
  });

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

describe('a pipeline', () => {
  test('carries every record once, in order, and with `once` ends when all is saved', async () => {
    const log = new MemoryLog({ topics: { in: 1, dead: 1 } });
    const seen: string[] = [];
    const sink = sinkOf((batch) => {
      seen.push(...values(batch));
      return accepted;
    });
    const { pipeline } = startTest({ log, sources: [counter(5000, 70)], sinks: [sink], once: true });
    const end = await pipeline.finished;
    expect(end).toEqual({
      outcome: 'drained',
      reason: null,
      recordsIn: 5000,
      delivered: 5000,
      dropped: 0,
      deadLettered: 0,
      inFlight: 0,
    });
    expect(seen).toEqual(numbers(5000));
    expect(log.savedOffsets.get('sink0')?.get(0)).toBe(5000);
    expect(log.savedPositions.get('source0')?.get('numbers')).toBe(5000);
    expect(pipeline.status()).toMatchObject({ state: 'stopped', sinks: [{ state: 'stopped', lag: 0, records: 5000 }] });
  });

  test('is starting until its listeners say where they listen', async () => {
    const bound = Promise.withResolvers<undefined>();
    const listener = sourceOf(async ({ report, signal }) => {
      await bound.promise;
      report('listening :8080');
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true });
      });
    });
    const log = new MemoryLog({ topics: { in: 1, dead: 1 } });
    const { pipeline } = startTest({ log, sources: [listener], source: { placement: 'every' } });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(pipeline.status()).toMatchObject({ state: 'starting', sources: [{ state: 'starting' }] });
    bound.resolve(undefined);
    await eventually(() => pipeline.status().state === 'running');
    expect(await pipeline.stop({ deadlineMs: 5000 })).toMatchObject({ drained: true });
  });

  test('goes on where it stopped', async () => {
    const log = new MemoryLog({ topics: { in: 2, dead: 1 } });
    const seen: string[] = [];
    const sink = sinkOf((batch) => {
      seen.push(...values(batch));
      return accepted;
    });
    await startTest({ log, sources: [counter(100, 7)], sinks: [sink], once: true }).pipeline.finished;
    const { pipeline } = startTest({ log, sources: [counter(250, 7)], sinks: [sink] });
    await eventually(() => seen.length >= 250);
    const report = await pipeline.stop({ deadlineMs: 5000 });
    expect(report).toMatchObject({ drained: true, recordsIn: 150, delivered: 150, inFlight: 0 });
    expect(seen.sort((a, b) => Number(a) - Number(b))).toEqual(numbers(250));
  });
});
