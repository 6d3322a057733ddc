import { FaultyDisk, type DiskFault, type DiskOperation } from '../../../src/testing/index.ts';
import { batchOf, LogReader, retried } from '../../../src/testing/topic-log-reader.ts';
import { planOf, SMALL } from './support/life.ts';
import { chances, isJournal, isSegment, pathsOf, Scene } from './support/scene.ts';

jest.setTimeout(60_000);

const plan = planOf('orders');
const LARGE = { ...SMALL, journalBytes: 1e6, segmentBytes: 1e6 };

/** The first operation that fits fails. */
function failFirst(disk: FaultyDisk, fault: DiskFault, fits: (operation: DiskOperation) => boolean): { hits: number } {
  const window = { hits: 0 };
  disk.onOperation = (operation) => {
    if (window.hits > 0 || !fits(operation)) return undefined;
    window.hits++;
    return fault;
  };
  return window;
}

test.each<[string, DiskFault, string, (operation: DiskOperation) => boolean]>([
  ['a write to a segment', 'EIO', 'LOG_IO', ({ kind, path }) => kind === 'write' && isSegment(path)],
  ['a short write to a segment', { short: 30 }, 'LOG_FULL', ({ kind, path }) => kind === 'write' && isSegment(path)],
  ['the fdatasync of a segment', 'EIO', 'LOG_IO', ({ kind, path }) => kind === 'sync' && isSegment(path)],
  ['a write to the journal', 'EIO', 'LOG_IO', ({ kind, path }) => kind === 'write' && isJournal(path)],
  ['a short write to the journal', { short: 30 }, 'LOG_FULL', ({ kind, path }) => kind === 'write' && isJournal(path)],
  [
    'a write to the journal on a full disk',
    'ENOSPC',
    'LOG_FULL',
    ({ kind, path }) => kind === 'write' && isJournal(path),
  ],
  ['the fdatasync of the journal', 'EIO', 'LOG_IO', ({ kind, path }) => kind === 'sync' && isJournal(path)],
])('%s fails: the commit is refused, never seen, and the next one works', async (_, fault, code, fits) => {
  for (const seed of chances(16)) {
    const disk = new FaultyDisk(seed);
    const scene = await Scene.begin(disk, [plan], LARGE);
    await scene.put('a');
    const window = failFirst(disk, fault, fits);
    await expect(scene.put('refused')).rejects.toMatchObject({ code, retryable: true });
    expect(window.hits).toBe(1);
    expect(await scene.values()).toEqual(['a']);
    // Answered is answered: not even when the power goes right now may it come back.
    const early = disk.copy(seed);
    if (seed % 2 === 0) {
      disk.crash();
      const after = await Scene.begin(disk, [plan], LARGE);
      await after.expectWhole(['a']);
      await after.end();
      continue;
    }
    const killed = await Scene.begin(early, [plan], LARGE);
    await killed.expectWhole(['a']);
    await killed.end();
    await retried(() => scene.put('b'));
    expect(await scene.values()).toEqual(['a', 'b']);
    disk.crash();
    const after = await Scene.begin(disk, [plan], LARGE);
    await after.expectWhole(['a', 'b']);
    await after.end();
  }
});

test('after a failed fdatasync of the journal nothing is appended to its generation', async () => {
  const disk = new FaultyDisk(3);
  const scene = await Scene.begin(disk, [plan], LARGE);
  await scene.put('a');
  const suspect = pathsOf(disk, isJournal).at(-1)!;
  failFirst(disk, 'EIO', ({ kind, path }) => kind === 'sync' && isJournal(path));
  await expect(scene.put('refused')).rejects.toMatchObject({ code: 'LOG_IO' });
  const appended: string[] = [];
  disk.onOperation = ({ kind, path }) => {
    if (kind === 'write' && isJournal(path)) appended.push(path);
    return undefined;
  };
  for (const value of ['b', 'c']) await retried(() => scene.put(value));
  expect(appended.length).toBeGreaterThan(1);
  expect(appended).not.toContain(suspect);
  await scene.end();
});

test('after a failed fdatasync of a segment nothing is appended to that file', async () => {
  const disk = new FaultyDisk(4);
  const scene = await Scene.begin(disk, [plan], LARGE);
  await scene.put('a');
  const suspect = pathsOf(disk, isSegment).find((path) => disk.contentOf(path).length > 0)!;
  failFirst(disk, 'EIO', ({ kind, path }) => kind === 'sync' && isSegment(path));
  await expect(scene.put('refused')).rejects.toMatchObject({ code: 'LOG_IO' });
  const appended: string[] = [];
  disk.onOperation = ({ kind, path }) => {
    if (kind === 'write' && isSegment(path)) appended.push(path);
    return undefined;
  };
  for (const value of ['b', 'c']) await retried(() => scene.put(value));
  expect(appended.length).toBeGreaterThan(1);
  expect(appended).not.toContain(suspect);
  await scene.end();
});

test('a full disk refuses input, tears nothing, and goes on by itself when there is room', async () => {
  for (const seed of chances(6)) {
    const disk = new FaultyDisk(seed);
    const scene = await Scene.begin(disk, [plan], LARGE);
    await scene.put('a');
    disk.capacityBytes = disk.usedBytes + 150 * seed;
    const large = 'v'.repeat(1000);
    for (let attempt = 0; attempt < 5; attempt++) {
      await expect(scene.put(large)).rejects.toMatchObject({ code: 'LOG_FULL', retryable: true });
      expect(await scene.values()).toEqual(['a']);
    }
    expect(scene.log.accepting).toBe(false);
    const reader = await LogReader.open(scene.log, { sink: 'late', topic: 'orders' }).catch(() => null);
    if (reader !== null) expect((await reader.read(1))[0]?.value).toBe('a');
    disk.capacityBytes = Infinity;
    while (!scene.log.accepting) await new Promise((resolve) => setImmediate(resolve));
    await scene.put('b');
    expect(scene.log.accepting).toBe(true);
    await scene.expectWhole(['a', 'b']);
    disk.crash();
    const after = await Scene.begin(disk, [plan], LARGE);
    await after.expectWhole(['a', 'b', 'more']);
    await after.end();
  }
});

test('a disk that becomes read-only refuses input, tears nothing, and goes on by itself once it can be written', async () => {
  for (const seed of chances(6)) {
    const disk = new FaultyDisk(seed);
    const scene = await Scene.begin(disk, [plan], LARGE);
    await scene.put('a');
    // Of a disk that the system remounted: what was written before can still be synced.
    disk.onOperation = ({ kind }) =>
      ['create', 'write', 'truncate', 'makeFolder', 'rename', 'remove'].includes(kind) ? 'EROFS' : undefined;
    for (let attempt = 0; attempt < 5; attempt++)
      await expect(scene.put('refused')).rejects.toMatchObject({ code: 'LOG_IO', retryable: true });
    expect(scene.log.accepting).toBe(false);
    expect(await scene.values()).toEqual(['a']);
    disk.onOperation = null;
    while (!scene.log.accepting) await new Promise((resolve) => setImmediate(resolve));
    await scene.put('b');
    await scene.expectWhole(['a', 'b']);
    disk.crash();
    const after = await Scene.begin(disk, [plan], LARGE);
    await after.expectWhole(['a', 'b', 'more']);
    await after.end();
  }
});

test('many commits on a disk that is full now and then: each is answered rightly', async () => {
  const disk = new FaultyDisk(9);
  const scene = await Scene.begin(disk, [plan]);
  const accepted: string[] = [];
  let refused = 0;
  for (let round = 0; round < 30; round++) {
    disk.capacityBytes = round % 3 === 2 ? Infinity : disk.usedBytes + round * 37;
    const values = Array.from({ length: 6 }, (_, number) => `${round} ${number} ${'v'.repeat(number * 20)}`);
    const results = await Promise.allSettled(values.map((value) => scene.put(value)));
    for (const [index, { status }] of results.entries()) {
      if (status === 'fulfilled') accepted.push(values[index]!);
      else refused++;
    }
    if (round % 3 === 2) await retried(() => scene.put(`${round} room`)).then(() => accepted.push(`${round} room`));
  }
  expect(refused).toBeGreaterThan(10);
  expect(accepted.length).toBeGreaterThan(10);
  expect(await scene.values()).toEqual(accepted);
  disk.crash();
  const after = await Scene.begin(disk, [plan]);
  await after.expectWhole(accepted);
  await after.end();
});

test('a log that is closed while the disk fails answers everybody', async () => {
  const disk = new FaultyDisk(10);
  const scene = await Scene.begin(disk, [plan], LARGE);
  await scene.put('a');
  disk.onOperation = ({ kind }) => (['write', 'sync', 'truncate', 'create'].includes(kind) ? 'EIO' : undefined);
  const waiting = Promise.allSettled([scene.put('b'), scene.put('c')]);
  await scene.log.close();
  for (const { status } of await waiting) expect(status).toBe('rejected');
  disk.onOperation = null;
  await scene.life.folder.recover(['orders']);
  const log = await scene.life.log('orders');
  await retried(() => log.commit({ batches: [batchOf('orders', 0, ['d'])] }));
  expect((await scene.values()).at(0)).toBe('a');
  expect((await scene.values()).at(-1)).toBe('d');
  await scene.end();
});

test('an error while reading reaches the reader, and the log goes on', async () => {
  const disk = new FaultyDisk(11);
  const scene = await Scene.begin(disk, [plan], LARGE);
  await scene.put('a');
  const reader = await LogReader.open(scene.log, { sink: 'sink', topic: 'orders', seeks: false });
  failFirst(disk, 'EIO', ({ kind, path }) => kind === 'read' && isSegment(path));
  reader.subscription.seek(0, 0);
  await expect(reader.read(1)).rejects.toMatchObject({ code: 'LOG_IO', retryable: true });
  await scene.put('b');
  await reader.subscription.close();
  const again = await LogReader.open(scene.log, { sink: 'sink', topic: 'orders' });
  expect((await again.readChunk())[0]?.value).toBe('a');
  await scene.end();
});
