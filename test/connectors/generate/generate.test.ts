import { sourceDefinition } from '../../../connectors/generate/index.ts';
import { Pace } from '../../../connectors/generate/pace.ts';
import { GeneratedValues } from '../../../connectors/generate/values.ts';
import type { SourceDefinition } from '../../../src/api/index.ts';
import { createSourceHarness, ManualClock, type SourceHarness } from '../../../src/testing/index.ts';

const generator = (
  options: object,
  harness: { once?: boolean; maxRecordBytes?: number; budgetBytes?: number; clock?: ManualClock } = {},
): SourceHarness =>
  createSourceHarness({
    definition: sourceDefinition as unknown as SourceDefinition,
    options: { size: 200, seed: 1, streams: 1, ...options },
    ...harness,
  });

const numbers = ({ values }: SourceHarness): number[] => values.map((value) => (JSON.parse(value) as { n: number }).n);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

function valueOf(options: { seed: number; size: number }, number: number): string {
  const values = new GeneratedValues(options);
  values.write(number);
  return values.bytes.toString();
}

test('a value follows from seed, size and number, whatever was written before', () => {
  const values = new GeneratedValues({ seed: 7, size: 300 });
  for (const number of [0, 999, 1000, 5, 4_294_967_296, 0]) {
    values.write(number);
    expect(values.bytes.toString()).toBe(valueOf({ seed: 7, size: 300 }, number));
  }
  expect(valueOf({ seed: 7, size: 300 }, 5)).not.toBe(valueOf({ seed: 8, size: 300 }, 5));
});

test.each([128, 200, 4096])('values of %d bytes are JSON of exactly that size, at any number', (size) => {
  for (const number of [0, 9, 10, 123_456_789, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
    const text = valueOf({ seed: 1, size }, number);
    expect(text).toHaveLength(size);
    const value = JSON.parse(text) as Record<string, string | number>;
    expect(Object.keys(value)).toEqual(['n', 'id', 'time', 'level', 'message']);
    expect(value.n).toBe(number);
    expect(value.id).toMatch(/^[0-9a-f]{16}$/);
    expect(new Date(value.time!).toISOString()).toBe(value.time);
  }
});

test('ids differ, times rise by a millisecond', () => {
  const values = new GeneratedValues({ seed: 3, size: 128 });
  const seen = new Set<string>();
  for (let number = 0; number < 20_000; number++) {
    values.write(number);
    const { id, time } = JSON.parse(values.bytes.toString()) as { id: string; time: string };
    seen.add(id);
    expect(Date.parse(time)).toBe(Date.UTC(2026, 0, 1) + number);
  }
  expect(seen.size).toBe(20_000);
});

test('makes `count` records in order and ends, with the time of the clock', async () => {
  const harness = generator({ count: 5000 });
  await harness.start();
  await harness.ended;
  expect(numbers(harness)).toEqual(upTo(5000));
  expect(harness.values[4321]).toBe(valueOf({ seed: 1, size: 200 }, 4321));
  expect(new Set(harness.records.map(({ timestamp }) => timestamp))).toEqual(new Set([harness.clock.now()]));
  expect(harness.status).toBe('5,000 of 5,000 generated');
});

test('goes on behind the last durable record after kills and refused commits, and is over once it was', async () => {
  // A small budget makes small commits.
  const harness = generator({ count: 30_000 }, { budgetBytes: 256 * 1024 });
  for (let life = 0; life < 3; life++) {
    await harness.start();
    while (harness.count < 5000 * (life + 1)) await new Promise((resolve) => setImmediate(resolve));
    if (life === 1) {
      harness.refuseNext();
      await expect(harness.ended).rejects.toMatchObject({ code: 'LOG_FULL' });
      await harness.stop().catch(() => undefined);
    } else await harness.kill();
  }
  await harness.start();
  await harness.ended;
  await harness.stop();
  expect(numbers(harness)).toEqual(upTo(30_000));
  await harness.start();
  await harness.ended;
  expect(harness.count).toBe(30_000);
});

test('emits take turns among the streams, and each stream keeps its order', async () => {
  const harness = generator({ count: 20_000, streams: 3 });
  await harness.start();
  await harness.ended;
  const byStream = new Map<string, number[]>();
  for (const { stream, value } of harness.records) {
    const list = byStream.get(stream!) ?? [];
    byStream.set(stream!, [...list, (JSON.parse(value!.toString()) as { n: number }).n].slice(-2));
    expect(byStream.get(stream!)!.at(-1)).toBeGreaterThan(list.at(-1) ?? -1);
  }
  expect([...byStream.keys()].sort()).toEqual(['stream-0', 'stream-1', 'stream-2']);
});

test('a spent budget holds it back', async () => {
  const harness = generator({});
  const free = harness.spendBudget();
  await harness.start();
  await new Promise((resolve) => setImmediate(resolve));
  expect(harness.inFlight).toBe(0);
  free();
  while (harness.count === 0) await new Promise((resolve) => setImmediate(resolve));
  await harness.stop();
});

test('with a rate records come evenly', async () => {
  const clock = new ManualClock();
  const harness = generator({ rate: 4 }, { clock });
  await harness.start();
  const counts: number[] = [];
  for (let step = 0; step < 6; step++) {
    await clock.advance(250);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    counts.push(harness.count);
  }
  expect(counts).toEqual([2, 3, 4, 5, 6, 7]);
  await harness.stop();
});

test('what was held up is made up for, but no more than a second of it', async () => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const pace = new Pace(1000, clock);
  pace.took(await pace.due(signal));
  await clock.advance(500);
  const due = await pace.due(signal);
  expect(due).toBe(500);
  pace.took(due);
  await clock.advance(60_000);
  expect(await pace.due(signal)).toBe(1001);
});

test('a run that ends makes nothing without `count`, and says so', async () => {
  const harness = generator({}, { once: true });
  await harness.start();
  await harness.ended;
  expect(harness.count).toBe(0);
  expect(harness.status).toContain('without `count`');
  expect(harness.lines).toContainEqual(expect.objectContaining({ level: 'warn' }));
});

test('values above the record limit of the topic are refused, with both sizes', async () => {
  const harness = generator({ size: 4096 }, { maxRecordBytes: 1000 });
  await harness.start();
  await expect(harness.ended).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: 'generating values of 4096 bytes: the record limit of the topic is 1000',
  });
});
