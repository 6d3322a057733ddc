import { appendFile, link, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DirectorySource } from '../../../connectors/file/source/directory/directory-source.ts';
import { nodeFinishFiles, type FinishFiles } from '../../../connectors/file/source/directory/finish.ts';
import type { DirectorySettings } from '../../../connectors/file/source/directory/settings.ts';
import { createNodeStorage } from '../../../connectors/file/source/storage.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { createSourceHarness, type SourceHarness, type SourceHarnessOptions } from '../../../src/testing/index.ts';
import { fileLife } from './support/life.ts';
import { eventually, plainLines } from './support/source.ts';

const life = fileLife();
const { at } = life;

function directory(
  settings: Partial<DirectorySettings> = {},
  options: Partial<SourceHarnessOptions> = {},
): SourceHarness {
  const all: DirectorySettings = {
    ...{ include: [at('*')], exclude: [], follows: true, onDone: 'keep', doneSuffix: '.COMPLETED', moveTo: null },
    ...{ framing: plainLines, completeAfterMs: 0, scanMs: 10 },
    ...{ storage: createNodeStorage(), finishFiles: nodeFinishFiles, ...settings },
  };
  return life.keep(createSourceHarness({ clock: realClock, ...options, create: () => new DirectorySource(all) }));
}

async function once(settings: Partial<DirectorySettings> = {}): Promise<SourceHarness> {
  const source = directory(settings, { once: true });
  await source.start();
  await source.ended;
  return source;
}

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`).join('');
const lines = (text: string): string[] => text.split('\n').slice(0, -1);

async function rest(ms = 80): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Seconds ago. */
async function age(name: string, seconds: number): Promise<void> {
  const time = new Date(Date.now() - seconds * 1000);
  await utimes(at(name), time, time);
}

test('reads the oldest first, each once, the last line without a line feed too, over restarts', async () => {
  await writeFile(at('b'), `${numbered(0, 2)}last of b`);
  await writeFile(at('a'), numbered(2, 4));
  await writeFile(at('c.gz'), gzipSync(numbered(4, 6)));
  await writeFile(at('.hidden'), 'not yet\n');
  await age('b', 30);
  await age('a', 20);
  const source = await once();
  const expected = ['line 0', 'line 1', 'last of b', 'line 2', 'line 3', 'line 4', 'line 5'];
  expect(source.values).toEqual(expected);
  await source.stop();
  await rename(at('a'), at('renamed'));
  await source.start();
  await source.ended;
  expect(source.values).toEqual(expected);
  expect(await readdir(life.folder)).toHaveLength(4);
});

test.each([
  ['rename', { onDone: 'rename' }, ['a.COMPLETED', 'b.gz.COMPLETED', 'empty.COMPLETED'], []],
  ['delete', { onDone: 'delete' }, [], []],
  ['move', { onDone: 'move' }, ['done'], ['a', 'b.gz', 'empty']],
] as const)('on_done: %s', async (_, settings, left, moved) => {
  await writeFile(at('a'), numbered(0, 3));
  await writeFile(at('b.gz'), gzipSync(numbered(3, 6)));
  await writeFile(at('empty'), '');
  await age('a', 10);
  const source = directory({ ...settings, ...(settings.onDone === 'move' ? { moveTo: at('done') } : {}) });
  await source.start();
  await eventually(() => source.count === 6);
  await writeFile(at('.later'), numbered(6, 8));
  await rename(at('.later'), at('later'));
  await eventually(() => source.count === 8);
  await eventually(() => source.positions.size === 0);
  await rest();
  expect(source.values).toEqual(lines(numbered(0, 8)));
  const names = (await readdir(life.folder)).filter((name) => !name.startsWith('later'));
  expect(names.sort()).toEqual(left);
  if (settings.onDone === 'move') {
    expect((await readdir(at('done'))).filter((name) => name !== 'later').sort()).toEqual(moved);
    expect(await readFile(at('done/a'), 'utf8')).toBe(numbered(0, 3));
  }
});

test('a file is put aside only when its records are durable', async () => {
  await writeFile(at('a'), numbered(0, 3));
  const source = directory({ onDone: 'delete' });
  source.hold();
  await source.start();
  await eventually(() => source.inFlight === 3);
  await rest();
  expect(await readdir(life.folder)).toEqual(['a']);
  await source.kill();
  expect(source.count).toBe(0);
  source.release();
  await source.start();
  await eventually(() => source.count === 3);
  await eventually(() => source.positions.size === 0);
  expect(await readdir(life.folder)).toEqual([]);
});

describe.each(['rename', 'delete', 'move', 'move across'] as const)('%s: killed at each moment', (way) => {
  test('nothing is twice, nothing is lost, and the file is put aside', async () => {
    for (let moment = 0; moment < 20; moment++) {
      const place = join(life.folder, String(moment));
      await mkdir(place);
      await writeFile(join(place, 'a'), numbered(0, 5));
      const onDone = way === 'move across' ? 'move' : way;
      const common = { include: [join(place, '*')], onDone, moveTo: onDone === 'move' ? join(place, 'done') : null };
      const across = way === 'move across' ? acrossDisks(nodeFinishFiles) : nodeFinishFiles;
      const killing = killedAt(across, moment);
      const first = directory({ ...common, finishFiles: killing.files }, { once: true });
      await first.start();
      await first.ended.catch(() => undefined);
      await first.kill();
      const second = directory({ ...common, finishFiles: across }, { once: true });
      for (const [key, position] of first.positions) second.positions.set(key, position);
      await second.start();
      await second.ended;
      expect([...first.values, ...second.values]).toEqual(lines(numbered(0, 5)));
      const expected = { rename: ['a.COMPLETED'], delete: [], move: ['done'] }[onDone];
      expect(await readdir(place)).toEqual(expected);
      if (onDone === 'move') {
        expect((await readdir(join(place, 'done'))).filter((name) => !name.startsWith('.'))).toEqual(['a']);
        expect(await readFile(join(place, 'done/a'), 'utf8')).toBe(numbered(0, 5));
      }
      if (!killing.wasKilled()) {
        expect(moment).toBeGreaterThan(1);
        return;
      }
    }
    throw new Error('there were more moments than were tried');
  });
});

test('a name that is taken is never overwritten: it is told, and the others go on', async () => {
  await writeFile(at('a'), numbered(0, 3));
  await writeFile(at('a.COMPLETED'), 'of before\n');
  await writeFile(at('b'), numbered(3, 6));
  await age('a', 10);
  const source = directory({ onDone: 'rename' });
  await source.start();
  await eventually(() => source.count === 6);
  await rest();
  expect((await readdir(life.folder)).sort()).toEqual(['a', 'a.COMPLETED', 'b.COMPLETED']);
  expect(await readFile(at('a.COMPLETED'), 'utf8')).toBe('of before\n');
  expect(source.lines.filter(({ level }) => level === 'warn')).toMatchObject([{ fields: { path: at('a') } }]);
  await rm(at('a.COMPLETED'));
  await eventually(() => source.positions.size === 0);
  expect(source.count).toBe(6);
});

test('a file that was left under both names by a kill keeps the new one', async () => {
  await writeFile(at('a'), numbered(0, 3));
  const kept = await once();
  await link(at('a'), at('a.COMPLETED'));
  const source = directory({ onDone: 'rename' }, { once: true });
  for (const [key, position] of kept.positions) source.positions.set(key, position);
  await source.start();
  await source.ended;
  expect(await readdir(life.folder)).toEqual(['a.COMPLETED']);
  expect(source.count).toBe(0);
});

test.each([
  ['after it was read', 'keep'],
  ['while its records wait', 'delete'],
] as const)('a file written %s ends the source with the remedy, and is not touched', async (_, onDone) => {
  await writeFile(at('a'), numbered(0, 3));
  const source = directory({ onDone });
  if (onDone === 'delete') source.hold();
  await source.start();
  await eventually(() => (onDone === 'delete' ? source.inFlight : source.count) === 3);
  await rest();
  await appendFile(at('a'), 'more\n');
  if (onDone === 'delete') source.release();
  await expect(source.ended).rejects.toMatchObject({
    code: 'SOURCE_FAILED',
    message: expect.stringContaining(`reading "${at('a')}": it was written after it was begun`) as string,
  });
  await source.stop().catch(() => undefined);
  await source.start();
  await expect(source.ended).rejects.toMatchObject({ code: 'SOURCE_FAILED' });
  await source.stop().catch(() => undefined);
  expect(await readFile(at('a'), 'utf8')).toBe(`${numbered(0, 3)}more\n`);
  expect(source.values).toEqual(lines(numbered(0, 3)));
  // Put aside, the source goes on.
  await rename(at('a'), at('.a'));
  await writeFile(at('b'), numbered(3, 5));
  await source.start();
  await eventually(() => source.count === 5);
});

test('complete_after waits for a file that is still being written', async () => {
  const source = directory({ completeAfterMs: 200, onDone: 'delete' });
  await source.start();
  for (let part = 0; part < 5; part++) {
    await appendFile(at('a'), numbered(part, part + 1));
    await rest(50);
  }
  expect(source.count).toBe(0);
  await eventually(() => source.count === 5);
});

test('a damaged archive is read up to the fault, refused with its place, and left where it is', async () => {
  await writeFile(at('a.gz'), Buffer.concat([gzipSync(numbered(0, 100)), Buffer.from('rubbish')]));
  await writeFile(at('b'), numbered(100, 103));
  await age('a.gz', 10);
  const source = await once({ onDone: 'delete' });
  expect(source.values).toEqual(lines(numbered(0, 103)));
  expect(source.rejected).toMatchObject([{ error: { code: 'ARCHIVE_DAMAGED' } }]);
  expect(await readdir(life.folder)).toEqual(['a.gz']);
  await source.stop();
  await source.start();
  await source.ended;
  expect(source.rejected).toHaveLength(1);
});

test('killed within a large file it goes on where it was', async () => {
  await writeFile(at('a'), numbered(0, 200_000));
  const source = directory({ onDone: 'delete' }, { budgetBytes: 1024 * 1024 });
  await source.start();
  await eventually(() => source.count > 20_000);
  await source.kill();
  await source.start();
  await eventually(() => source.positions.size === 0 && source.count >= 200_000);
  expect(source.values).toEqual(lines(numbered(0, 200_000)));
});

/** The process is gone before the call with that number, or right behind the one before it. */
function killedAt(files: FinishFiles, moment: number): { files: FinishFiles; wasKilled: () => boolean } {
  let calls = 0;
  let isKilled = false;
  const kills = (): void => {
    if (calls++ < moment) return;
    isKilled = true;
    throw new Error('killed');
  };
  const killing = Object.fromEntries(
    Object.entries(files).map(([name, call]) => [
      name,
      async (...paths: [string, string]) => {
        kills();
        await (call as (...all: string[]) => Promise<void>)(...paths);
        kills();
      },
    ]),
  );
  return { files: killing as unknown as FinishFiles, wasKilled: () => isKilled };
}

function acrossDisks(files: FinishFiles): FinishFiles {
  return {
    ...files,
    link(from, to) {
      if (join(from, '..') === join(to, '..')) return files.link(from, to);
      return Promise.reject(Object.assign(new Error('EXDEV: made up'), { code: 'EXDEV', syscall: 'link' }));
    },
  };
}
