import { dirname } from 'node:path';
import { FaultyDisk, type DiskOperation } from '../../../src/testing/index.ts';
import { DATA_DIR, orGone, planOf, SMALL } from './support/life.ts';
import { chances, contents, damage, endAtFirst, isJournal, isSegment, pathsOf, Scene } from './support/scene.ts';

jest.setTimeout(60_000);

const plan = planOf('orders');
const neighbour = planOf('neighbour');
const journals = `${DATA_DIR}/journals/orders`;
const FRAME_HEADER_BYTES = 12;
/** One journal, one segment, unless a test is about more. */
const LARGE = { ...SMALL, journalBytes: 1e6, segmentBytes: 1e6 };

/**
 * Commits `values` one by one, loses power in the midst of the first operation that fits, after the first `safe` of them, and expects a start that has
 * what was acknowledged, and what was in flight whole or not at all.
 */
async function expectSafe(
  fits: (operation: DiskOperation) => boolean,
  { values, safe, limits }: { values: readonly string[]; safe: number; limits: typeof SMALL },
): Promise<void> {
  for (const seed of chances(16)) {
    const disk = new FaultyDisk(seed);
    const before = await Scene.begin(disk, [plan], limits);
    const acknowledged: string[] = [];
    const put = async (value: string): Promise<void> => {
      await before.put(value);
      acknowledged.push(value);
    };
    for (const value of values.slice(0, safe)) await put(value);
    const window = endAtFirst(disk, fits);
    const rest = async (): Promise<void> => {
      for (const value of values.slice(safe)) await put(value);
      // What the log does after it has answered.
      await before.end();
    };
    await orGone(before.life.mount, rest());
    expect(window.hit).toBe(true);
    disk.onOperation = null;
    disk.crash();
    const after = await Scene.begin(disk, [plan], limits);
    const found = await after.values();
    expect([acknowledged.length, acknowledged.length + 1]).toContain(found.length);
    expect(found).toEqual(values.slice(0, found.length));
    await after.expectWhole(found);
    await after.end();
  }
}

describe('the power is gone', () => {
  test.each<[string, (operation: DiskOperation) => boolean]>([
    ['while a segment is written', ({ kind, path }) => kind === 'write' && isSegment(path)],
    ['while a segment is synced', ({ kind, path }) => kind === 'sync' && isSegment(path)],
    ['between the sync of the segment and the frame', ({ kind, path }) => kind === 'write' && isJournal(path)],
    ['between the frame and its sync', ({ kind, path }) => kind === 'sync' && isJournal(path)],
  ])('%s', async (_, fits) => {
    await expectSafe(fits, { values: ['a', 'b', 'c'], safe: 2, limits: LARGE });
  });

  const values = Array.from({ length: 40 }, (_, number) => `value ${number}`);
  const isNew = ({ path }: DiskOperation): boolean => /\.(journal|snapshot)(\.tmp)?$/.test(path);

  test.each<[string, (operation: DiskOperation) => boolean]>([
    ['while the temp of a snapshot is made', ({ kind, path }) => kind === 'create' && path.includes('.snapshot')],
    ['while the temp of a snapshot is written', ({ kind, path }) => kind === 'write' && path.includes('.snapshot')],
    ['while the temp of a snapshot is synced', ({ kind, path }) => kind === 'sync' && path.includes('.snapshot')],
    ['while the journal of a generation is made', ({ kind, path }) => kind === 'create' && isJournal(path)],
    [
      'between the temp of a snapshot and its rename',
      ({ kind, path }) => kind === 'rename' && path.includes('.snapshot'),
    ],
    ['between the rename of a snapshot and the sync of its folder', isFolderSyncAfterRename()],
    ['while an older generation is removed', (operation) => operation.kind === 'remove' && isNew(operation)],
  ])('%s', async (_, fits) => {
    await expectSafe(fits, { values, safe: 1, limits: { ...SMALL, segmentBytes: 1e6 } });
  });

  test.each<[string, (operation: DiskOperation) => boolean]>([
    ['while a new segment is made', ({ kind, path }) => kind === 'create' && isSegment(path)],
    [
      'while the folder of a new segment is synced',
      ({ kind, path }) => kind === 'syncFolder' && path.endsWith('orders/0'),
    ],
  ])('%s', async (_, fits) => {
    await expectSafe(fits, { values, safe: 3, limits: { ...SMALL, journalBytes: 1e6 } });
  });
});

function isFolderSyncAfterRename(): (operation: DiskOperation) => boolean {
  let isRenamed = false;
  return ({ kind, path }) => {
    const fits = isRenamed && kind === 'syncFolder' && path === journals;
    isRenamed = kind === 'rename' && path.includes('.snapshot');
    return fits;
  };
}

test('a frame that is torn at any byte is cut, and what its segment has behind the mark', async () => {
  const disk = new FaultyDisk();
  const before = await Scene.begin(disk, [plan], LARGE);
  await before.put('a');
  const [journal] = pathsOf(disk, isJournal).slice(-1) as [string];
  const whole = disk.contentOf(journal).length;
  endAtFirst(disk, ({ kind, path }) => kind === 'sync' && path === journal);
  await orGone(before.life.mount, before.put('b'));
  disk.onOperation = null;
  const torn = disk.contentOf(journal);
  expect(torn.length).toBeGreaterThan(whole + 20);
  for (let length = whole; length <= torn.length; length++) {
    const copy = disk.copy(length);
    copy.replace(journal, torn.subarray(0, length));
    const after = await Scene.begin(copy, [plan], LARGE);
    await after.expectWhole(length === torn.length ? ['a', 'b'] : ['a']);
    await after.end();
  }
  for (let at = whole; at < torn.length; at += 7) {
    const copy = disk.copy(at);
    damage(copy, journal, at);
    const after = await Scene.begin(copy, [plan], LARGE);
    await after.expectWhole(['a']);
    await after.end();
  }
});

test('a new segment and a new partition are in their folders before the frame that names them', async () => {
  const disk = new FaultyDisk();
  const unsynced = new Set<string>();
  let made = 0;
  disk.onOperation = ({ kind, path, target }) => {
    if (kind === 'create' || kind === 'makeFolder' || kind === 'rename') {
      unsynced.add(target);
      if (isSegment(path)) made++;
    } else if (kind === 'remove') unsynced.delete(path);
    else if (kind === 'syncFolder') {
      for (const name of unsynced) if (dirname(name) === path) unsynced.delete(name);
    } else if (kind === 'write' && isJournal(path) && made > 0) {
      const named = [...unsynced].filter((name) => isSegment(name) || /\/topics(\/[^/.]+(\/\d+)?)?$/.test(name));
      expect(named).toEqual([]);
    }
    return undefined;
  };
  const scene = await Scene.begin(disk, [plan], { ...SMALL, journalBytes: 1e6 });
  for (let number = 0; number < 60; number++) await scene.putAt(number % 3, `value ${number}`);
  await scene.end();
  expect(made).toBeGreaterThan(6);
});

describe('a journal that is damaged', () => {
  /** Some generations, and frames behind the newest snapshot. */
  async function grown(seed: number): Promise<{ disk: FaultyDisk; values: string[] }> {
    const disk = new FaultyDisk(seed);
    const values: string[] = [];
    const framesBehind = (): number => {
      const journal = disk.contentOf(pathsOf(disk, isJournalOf).at(-1)!);
      return journal.toString('latin1').split('"sequence"').length - 1;
    };
    do {
      const scene = await Scene.begin(disk, [plan, neighbour], { ...SMALL, segmentBytes: 1e6 });
      for (let number = 0; number < 4; number++) {
        values.push(`value ${values.length}`);
        await scene.put(values.at(-1)!);
      }
      // A new generation may be begun after the answer: only now nothing moves any more.
      await scene.end();
    } while (values.length < 30 || framesBehind() < 3);
    return { disk, values };
  }

  const isJournalOf = (path: string): boolean => isJournal(path) && path.startsWith(journals);
  const isSnapshotOf = (path: string): boolean => path.startsWith(journals) && path.endsWith('.snapshot');

  test('keeps the generation before until the next one is there', async () => {
    const { disk } = await grown(1);
    expect(pathsOf(disk, isSnapshotOf).length).toBe(2);
    expect(pathsOf(disk, isJournalOf).length).toBe(2);
  });

  test.each([0, 5, 30, -1])(
    'in its newest snapshot (byte %i) is made again from the one before and both journals',
    async (at) => {
      const { disk, values } = await grown(2);
      damage(disk, pathsOf(disk, isSnapshotOf).at(-1)!, at);
      const after = await Scene.begin(disk, [plan, neighbour]);
      await after.expectWhole(values);
      await after.end();
      // And from then on is as good as any other.
      const next = await Scene.begin(disk, [plan]);
      expect(await next.values()).toEqual([...values, 'more']);
      await next.end();
    },
  );

  test('in its newest snapshot is made again, though the power goes at any moment of that', async () => {
    const { disk, values } = await grown(3);
    damage(disk, pathsOf(disk, isSnapshotOf).at(-1)!, 20);
    for (let at = 1; ; at++) {
      const copy = disk.copy(at);
      copy.endAt(at);
      const mount = copy.mount();
      const outcome = await orGone(mount, Scene.begin(copy, [plan]));
      copy.crash();
      const after = await Scene.begin(copy, [plan]);
      await after.expectWhole(values);
      await after.end();
      if (outcome !== 'gone') break;
    }
  });

  test('does not make a refused frame of the journal before a commit', async () => {
    for (const seed of chances(8)) {
      const disk = new FaultyDisk(seed);
      const scene = await Scene.begin(disk, [plan], LARGE);
      await scene.put('a');
      let isFailed = false;
      disk.onOperation = ({ kind, path }) => {
        if (isFailed || kind !== 'sync' || !isJournalOf(path)) return undefined;
        isFailed = true;
        return 'EIO';
      };
      await expect(scene.put('refused')).rejects.toMatchObject({ code: 'LOG_IO' });
      await scene.end();
      damage(disk, pathsOf(disk, isSnapshotOf).at(-1)!, 20);
      const after = await Scene.begin(disk, [plan], LARGE);
      await after.expectWhole(['a']);
      await after.end();
    }
  });

  /** Refused, with the command that looks at it; nothing on the disk is changed; the neighbour works. */
  async function expectRefused(disk: FaultyDisk): Promise<void> {
    const before = contents(disk, DATA_DIR);
    const scene = await Scene.begin(disk, [neighbour, plan]);
    const refusal = { code: 'LOG_CORRUPT', message: expect.stringContaining('log check') as string };
    await expect(scene.life.log('orders')).rejects.toMatchObject(refusal);
    await expect(scene.life.folder.recover(['orders'])).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    await scene.put('fine');
    expect(await scene.values()).toEqual(['fine']);
    await scene.end();
    const after = contents(disk, DATA_DIR);
    for (const [path, bytes] of before) {
      if (path.startsWith(journals) || path.startsWith(`${DATA_DIR}/topics/orders`))
        expect([path, after.get(path)]).toEqual([path, bytes]);
    }
  }

  test('in a frame with a good one behind it is corruption: nothing is cut', async () => {
    const { disk } = await grown(4);
    const journal = pathsOf(disk, isJournalOf).at(-1)!;
    // Neither the header, which has its own check, nor the last frame, which may be torn.
    const last = disk.contentOf(journal).lastIndexOf('"sequence"');
    damage(disk, journal, disk.contentOf(journal).lastIndexOf('"sequence"', last - 1) + 3);
    await expectRefused(disk);
  });

  test.each(['frames', 'nothing yet'])(
    'in a frame that a newer generation with %s follows is corruption: nothing is cut',
    async (behind) => {
      const { disk } = await grown(5);
      const newest = pathsOf(disk, isJournalOf).at(-1)!;
      const content = disk.contentOf(newest);
      if (behind !== 'frames')
        disk.replace(newest, content.subarray(0, content.indexOf('{"sequence"') - FRAME_HEADER_BYTES));
      damage(disk, pathsOf(disk, isSnapshotOf).at(-1)!, 20);
      damage(disk, pathsOf(disk, isJournalOf).at(-2)!, -3);
      await expectRefused(disk);
    },
  );

  test('in all its snapshots is corruption: nothing is cut', async () => {
    const { disk } = await grown(6);
    for (const path of pathsOf(disk, isSnapshotOf)) damage(disk, path, 20);
    await expectRefused(disk);
  });

  test.each(['journal', 'snapshots and journals'])(
    'in that its %s is missing is refused, and its topic never cut',
    async (what) => {
      const { disk } = await grown(7);
      if (what === 'journal') disk.take(pathsOf(disk, isJournalOf).at(-1)!);
      else disk.take(journals);
      await expectRefused(disk);
      // Nor is it when nobody asks for the pipeline.
      const before = contents(disk, `${DATA_DIR}/topics/orders`);
      const scene = await Scene.begin(disk, [neighbour]);
      await scene.end();
      expect(contents(disk, `${DATA_DIR}/topics/orders`)).toEqual(before);
    },
  );
});

describe('segments that are damaged', () => {
  test('missing bytes below the mark are corruption, not an end', async () => {
    const disk = new FaultyDisk();
    const scene = await Scene.begin(disk, [plan], LARGE);
    for (const value of ['a', 'b', 'c']) await scene.put(value);
    await scene.end();
    const [segment] = pathsOf(disk, (path) => isSegment(path) && path.includes('/orders/0/')) as [string];
    disk.replace(segment, disk.contentOf(segment).subarray(0, -10));
    const before = contents(disk, `${DATA_DIR}/topics`);
    const life = await Scene.begin(disk, [neighbour, plan]);
    await expect(life.life.log('orders')).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    await life.end();
    for (const [path, bytes] of before) expect(contents(disk, `${DATA_DIR}/topics`).get(path)).toBe(bytes);
  });

  test('indexes are made again when they are damaged or gone', async () => {
    const disk = new FaultyDisk();
    const scene = await Scene.begin(disk, [plan]);
    const values = Array.from({ length: 40 }, (_, number) => `value ${number}`);
    for (const value of values) await scene.put(value);
    await scene.end();
    const indexes = pathsOf(disk, (path) => /\.(time)?index$/.test(path));
    expect(indexes.length).toBeGreaterThan(4);
    for (const [number, path] of indexes.entries()) {
      if (number % 2 === 0) disk.take(path);
      else disk.replace(path, Buffer.alloc(disk.contentOf(path).length, 0x77));
    }
    const after = await Scene.begin(disk, [plan]);
    await after.expectWhole(values);
    await after.end();
  });
});
