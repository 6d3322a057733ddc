import { FaultyDisk } from '../../../src/testing/index.ts';
import { DATA_DIR, orGone, planOf, SMALL } from './support/life.ts';
import { contents, isSegment, pathsOf, Scene } from './support/scene.ts';

jest.setTimeout(60_000);

const LARGE = { ...SMALL, journalBytes: 1e6, segmentBytes: 1e6 };
const old = planOf('old', { topic: { name: 'orders' } });
const renamed = planOf('new', { topic: { name: 'orders' } });
/** Its sinks stay, another pipeline writes. */
const readsOnly = { ...old, writesTopic: false, sources: [] };

async function filled(seed: number): Promise<FaultyDisk> {
  const disk = new FaultyDisk(seed);
  const scene = await Scene.begin(disk, [old], LARGE);
  for (const value of ['a', 'b', 'c']) await scene.put(value);
  await scene.putAt(2, 'x');
  await scene.drain();
  await scene.end();
  return disk;
}

async function expectRecords(disk: FaultyDisk, plans: Parameters<typeof Scene.begin>[1]): Promise<void> {
  const scene = await Scene.begin(disk, plans, LARGE);
  expect(await scene.values(0)).toEqual(['a', 'b', 'c']);
  expect(await scene.values(1)).toEqual([]);
  expect(await scene.values(2)).toEqual(['x']);
  await scene.end();
}

test('a pipeline that is renamed goes on behind the records of the old one, and keeps their identity', async () => {
  const disk = await filled(1);
  const before = await Scene.begin(disk, [old], LARGE);
  const { incarnation } = before.log.describe('orders');
  await before.end();
  const scene = await Scene.begin(disk, [renamed], LARGE);
  expect(scene.log.describe('orders').incarnation).toBe(incarnation);
  expect(await scene.values()).toEqual(['a', 'b', 'c']);
  expect(await scene.position()).toBeUndefined();
  await scene.put('d');
  await scene.end();
  const next = await Scene.begin(disk, [renamed], LARGE);
  await next.expectWhole(['a', 'b', 'c', 'd']);
  await next.end();
});

test('the writer is changed back and forth, with the old one beside it as a reader', async () => {
  const disk = await filled(2);
  for (const [number, plans] of ([[renamed, readsOnly], [old], [renamed], [old]] as const).entries()) {
    const scene = await Scene.begin(disk, plans, LARGE);
    await scene.put(`${number}`);
    await scene.end();
  }
  const scene = await Scene.begin(disk, [old], LARGE);
  await scene.expectWhole(['a', 'b', 'c', '0', '1', '2', '3']);
  await scene.end();
});

test.each([
  ['the new writer', renamed],
  ['the old writer', old],
])('the power goes at any step of a change of owner; the next start is of %s', async (_, following) => {
  const left = await filled(3);
  for (let at = 1; ; at++) {
    const disk = left.copy(at);
    disk.endAt(at);
    const mount = disk.mount();
    const outcome = await orGone(mount, Scene.begin(disk, [renamed], LARGE));
    disk.crash();
    // A second crash, in the next start, must not matter either.
    disk.endAt(1 + (at % 17));
    await orGone(disk.mount(), Scene.begin(disk, [following], LARGE));
    disk.crash();
    await expectRecords(disk, [following]);
    const scene = await Scene.begin(disk, [following], LARGE);
    await scene.put('d');
    expect(await scene.values()).toEqual(['a', 'b', 'c', 'd']);
    await scene.end();
    if (outcome !== 'gone') break;
    expect(at).toBeLessThan(200);
  }
});

test('what the new owner commits is not cut by what the old journal still says', async () => {
  const disk = await filled(4);
  const scene = await Scene.begin(disk, [renamed], LARGE);
  await scene.put('d');
  disk.crash();
  const next = await Scene.begin(
    disk,
    [planOf('other'), old].map((plan) => ({ ...plan, writesTopic: plan.pipeline === 'other' })) as never,
    LARGE,
  );
  expect(await next.values(0, 'orders')).toEqual(['a', 'b', 'c', 'd']);
  await next.end();
});

describe('a pipeline that is taken out of the run', () => {
  test('loses nothing, through crashes of runs without it', async () => {
    const disk = await filled(5);
    const other = planOf('other');
    for (let round = 0; round < 5; round++) {
      const scene = await Scene.begin(disk, [other]);
      for (let number = 0; number < 10; number++) await scene.put(`${round} ${number}`);
      disk.crash();
    }
    const scene = await Scene.begin(disk, [old], LARGE);
    expect(await scene.values(2)).toEqual(['x']);
    await scene.expectWhole(['a', 'b', 'c']);
    await scene.end();
  });

  test('has its topic cut at its own mark all the same', async () => {
    const disk = await filled(6);
    const scene = await Scene.begin(disk, [old], LARGE);
    disk.onOperation = ({ kind, path }) => (kind === 'write' && path.endsWith('.journal') ? 'gone' : undefined);
    await orGone(scene.life.mount, scene.put('never'));
    disk.onOperation = null;
    const segment = pathsOf(disk, (path) => isSegment(path) && path.includes('/orders/0/'))[0]!;
    const torn = disk.contentOf(segment).length;
    const without = await Scene.begin(disk, [planOf('other')], LARGE);
    await without.end();
    const cut = disk.contentOf(segment).length;
    const again = await Scene.begin(disk, [old], LARGE);
    const values = await again.values();
    expect(values.slice(0, 3)).toEqual(['a', 'b', 'c']);
    if (values.length === 3) expect(cut).toBeLessThan(torn);
    await again.end();
  });
});

test('sources that are moved to another pipeline start anew there and leave the old records alone', async () => {
  const disk = await filled(7);
  const moved = planOf('moved', { sources: ['source'] });
  const emptied = { ...old, sources: [], writesTopic: false };
  const scene = await Scene.begin(disk, [moved, emptied], LARGE);
  expect(await scene.position()).toBeUndefined();
  await scene.put('a');
  expect(await scene.values(0, 'orders')).toEqual(['a', 'b', 'c']);
  disk.crash();
  const back = await Scene.begin(disk, [old], LARGE);
  await back.expectWhole(['a', 'b', 'c']);
  await back.end();
});

test('a second hub finds nothing changed by a start that only looks', async () => {
  const disk = await filled(8);
  const before = contents(disk, `${DATA_DIR}/topics`);
  await expectRecords(disk, [old]);
  const after = contents(disk, `${DATA_DIR}/topics`);
  for (const [path, bytes] of before) if (isSegment(path)) expect(after.get(path)).toBe(bytes);
});
