import { FaultyDisk } from '../../../src/testing/index.ts';
import { batchOf, LogReader } from '../../../src/testing/topic-log-reader.ts';
import { planOf, SMALL } from './support/life.ts';
import { Scene } from './support/scene.ts';

jest.setTimeout(60_000);

const value = (number: number): string => `${number} ${'v'.repeat(100)}`;

async function start(scene: Scene, topic = 'orders'): Promise<number> {
  return (await scene.life.view()).topics.find(({ name }) => name === topic)!.starts[0]!;
}

/** Commits until it is refused, or `most` are in. */
async function fill(scene: Scene, most: number): Promise<number> {
  for (let number = 0; number < most; number++) {
    try {
      await scene.put(value(number));
    } catch (error) {
      expect(error).toMatchObject({ code: 'LOG_FULL', retryable: true });
      return number;
    }
  }
  return most;
}

const small = { topic: { retentionBytes: 3000 } };

test('a topic without a saved sink keeps its newest bytes', async () => {
  const disk = new FaultyDisk();
  const scene = await Scene.begin(disk, [planOf('orders', { ...small, sinks: [] })], SMALL);
  expect(await fill(scene, 100)).toBe(100);
  expect(await start(scene)).toBeGreaterThan(60);
  expect((await scene.values()).at(-1)).toBe(value(99));
  disk.crash();
  const after = await Scene.begin(disk, [planOf('orders', { ...small, sinks: [] })], SMALL);
  expect((await after.values()).at(-1)).toBe(value(99));
  await after.end();
});

test('retention never passes a saved sink: at its bytes the topic refuses input instead', async () => {
  const disk = new FaultyDisk(2);
  const scene = await Scene.begin(disk, [planOf('orders', small)], SMALL);
  await scene.put('first');
  await scene.drain();
  const taken = await fill(scene, 100);
  expect(taken).toBeLessThan(60);
  expect(await start(scene)).toBeLessThanOrEqual(1);
  const values = await scene.values();
  expect(values.slice(-taken)).toEqual(Array.from({ length: taken }, (_, number) => value(number)));
  // The sink goes on, and so does the input.
  await scene.drain();
  expect(await fill(scene, 10)).toBe(10);
  expect(await start(scene)).toBeGreaterThan(1);
  await scene.end();
});

test('nor a sink that is not configured in this run, until it is forgotten', async () => {
  const disk = new FaultyDisk(3);
  const first = await Scene.begin(disk, [planOf('orders', { ...small, sinks: ['slow', 'fast'] })], SMALL);
  await first.put('first');
  for (const sink of ['slow', 'fast']) await first.drain(sink);
  await first.end();
  const withoutSlow = planOf('orders', { ...small, sinks: ['fast'] });
  const second = await Scene.begin(disk, [withoutSlow], SMALL);
  let refused = 0;
  for (let round = 0; round < 10; round++) {
    if ((await fill(second, 10)) < 10) refused++;
    await second.drain('fast');
  }
  expect(refused).toBeGreaterThan(3);
  expect(await start(second)).toBeLessThanOrEqual(1);
  expect((await second.values()).length).toBeGreaterThan(10);
  await second.end();
  const third = await Scene.begin(disk, [planOf('idle')], SMALL);
  expect(await third.life.folder.forgetSink('orders', 'slow')).toBe(true);
  expect(await third.life.folder.forgetSink('orders', 'slow')).toBe(false);
  await third.end();
  const fourth = await Scene.begin(disk, [withoutSlow], SMALL);
  expect(await fill(fourth, 10)).toBe(10);
  expect(await start(fourth)).toBeGreaterThan(1);
  await fourth.end();
});

test('nor the sink of another pipeline, whether that runs or not', async () => {
  const writer = planOf('orders', { ...small, sinks: [] });
  const reader = planOf('copies', {
    topic: { name: 'orders', ...small.topic },
    writesTopic: false,
    sources: [],
    deadLetter: null,
  });
  const disk = new FaultyDisk(4);
  const scene = await Scene.begin(disk, [writer, reader], SMALL);
  await scene.put('first');
  const copies = await scene.life.log('copies');
  const subscription = await LogReader.open(copies, { sink: 'sink', topic: 'orders' });
  await subscription.read(1);
  expect(await fill(scene, 100)).toBeLessThan(60);
  expect(await start(scene)).toBe(0);
  await scene.end();
  const alone = await Scene.begin(disk, [writer], SMALL);
  expect(await fill(alone, 100)).toBeLessThan(60);
  expect(await start(alone)).toBe(0);
  expect((await alone.values())[0]).toBe('first');
  await alone.end();
});

test('nor the sinks of a pipeline that was renamed', async () => {
  const old = planOf('old', { topic: { name: 'orders', ...small.topic } });
  const renamed = planOf('new', { topic: { name: 'orders', ...small.topic } });
  const disk = new FaultyDisk(5);
  const first = await Scene.begin(disk, [old], SMALL);
  await first.put('first');
  await first.drain();
  await first.end();
  const second = await Scene.begin(disk, [renamed], SMALL);
  await fill(second, 100);
  await second.drain();
  expect(await fill(second, 100)).toBeLessThan(60);
  expect(await start(second)).toBeLessThanOrEqual(1);
  await second.end();
});

test('what is older than the retention goes, as far as sinks let it', async () => {
  const plan = planOf('orders', { topic: { retentionMs: 3_600_000 } });
  const disk = new FaultyDisk(6);
  const scene = await Scene.begin(disk, [plan], SMALL);
  // The timestamps of test records are 0: as old as can be.
  for (let number = 0; number < 20; number++) await scene.put(value(number));
  await scene.life.clock.advance(24 * 3_600_000);
  await scene.put('awake');
  const before = await start(scene);
  await scene.drain();
  await scene.life.clock.advance(24 * 3_600_000);
  await scene.put('awake again');
  expect(await start(scene)).toBeGreaterThan(Math.max(10, before));
  await scene.drain();
  await scene.end();
});

test('dead letters are all kept, and at their limit they are refused', async () => {
  const plan = planOf('orders', { deadLetter: { topic: 'orders.dead', maxBytes: 2000 } });
  const disk = new FaultyDisk(7);
  const scene = await Scene.begin(disk, [plan], SMALL);
  const dead = (number: number): Promise<void> =>
    scene.log.commit({ batches: [batchOf('orders.dead', 0, [value(number)])] });
  let kept = 0;
  for (; kept < 50; kept++) {
    const refusal = await dead(kept).catch((error: unknown) => error);
    if (refusal === undefined) continue;
    expect(refusal).toMatchObject({ code: 'LOG_FULL', retryable: true });
    break;
  }
  expect(kept).toBeGreaterThan(5);
  expect(kept).toBeLessThan(20);
  await scene.life.clock.advance(30 * 24 * 3_600_000);
  await expect(dead(kept)).rejects.toMatchObject({ code: 'LOG_FULL' });
  const expected = Array.from({ length: kept }, (_, number) => value(number));
  expect(await scene.values(0, 'orders.dead')).toEqual(expected);
  // Records beside them are still taken.
  await scene.put('fine');
  disk.crash();
  const after = await Scene.begin(disk, [plan], SMALL);
  expect(await after.values(0, 'orders.dead')).toEqual(expected);
  await after.end();
});
