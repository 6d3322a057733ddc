/**
 * What befalls files, case by case, with the rows of the bugs of others that they answer: see also `source.test.ts` (identity, rotation), `archives.test.ts`
 * (compressed files), `directory.test.ts` (spool folders), `source-model.test.ts` (all of it by chance).
 */
import { appendFile, mkdir, open, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createNodeStorage, type FileStatus, type InputStorage } from '../../../connectors/file/source/storage.ts';
import type { SourceHarness, SourceHarnessOptions } from '../../../src/testing/index.ts';
import {
  eventually,
  fileSourceHarness,
  lines,
  numbered,
  type SourceSettings,
  temporaryFolder,
} from './support/source.ts';

let folder: string;
let harness: SourceHarness | null = null;
const at = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  await harness?.kill().catch(() => undefined);
  harness = null;
  await rm(folder, { recursive: true, force: true });
});

async function started(
  settings: SourceSettings = {},
  options: Partial<SourceHarnessOptions> = {},
): Promise<SourceHarness> {
  harness = fileSourceHarness(folder, settings, options);
  await harness.start();
  return harness;
}

async function read(source: SourceHarness, text: string): Promise<void> {
  const expected = lines(text);
  await eventually(() => source.records.length >= expected.length).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect([...source.values].sort()).toEqual([...expected].sort());
}

test('several rotations while stopped: every file of them is read on from where it was', async () => {
  await writeFile(at('app.log'), numbered(0, 10));
  const source = await started();
  await read(source, numbered(0, 10));
  await source.stop();
  for (let rotation = 1; rotation <= 4; rotation++) {
    await appendFile(at('app.log'), numbered(10 * rotation, 10 * rotation + 5));
    for (let old = rotation - 1; old > 0; old--) await rename(at(`app.log.${old}`), at(`app.log.${old + 1}`));
    await rename(at('app.log'), at('app.log.1'));
    await writeFile(at('app.log'), numbered(10 * rotation + 5, 10 * rotation + 10));
  }
  await source.start();
  await read(source, numbered(0, 50));
});

test('rotated out of the pattern under load: what is open is read to its end', async () => {
  await mkdir(at('old'));
  await writeFile(at('app.log'), numbered(0, 60_000));
  const source = await started({ include: [join(folder, 'app.log')] }, { budgetBytes: 1024 * 1024 });
  await eventually(() => source.count > 1000);
  await rename(at('app.log'), at('old/app.log'));
  await writeFile(at('app.log'), numbered(60_000, 60_010));
  await appendFile(at('old/app.log'), numbered(60_010, 60_020));
  await eventually(() => source.count === 60_020);
  expect(new Set(source.values).size).toBe(60_020);
});

test.each([
  ['shorter', 3],
  ['longer', 60],
])('truncated and grown again, %s than it was, while stopped', async (_, count) => {
  await writeFile(at('app.log'), numbered(0, 20));
  const source = await started();
  await read(source, numbered(0, 20));
  await source.stop();
  await truncate(at('app.log'));
  await appendFile(at('app.log'), numbered(100, 100 + count));
  await source.start();
  await read(source, numbered(0, 20) + numbered(100, 100 + count));
});

test('deleted while it is open and a new file of its name: both are read, whoever still writes to the first', async () => {
  await writeFile(at('app.log'), numbered(0, 5));
  const source = await started();
  await read(source, numbered(0, 5));
  const writer = await open(at('app.log'), 'a');
  await rm(at('app.log'));
  await writeFile(at('app.log'), numbered(5, 10));
  await writer.appendFile(numbered(10, 15));
  await read(source, numbered(0, 15));
  await writer.close();
});

test('a closed file whose inode another one took is not read on in that one', async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  await writeFile(at('a.log'), numbered(0, 5));
  await writeFile(at('b.log'), numbered(100, 105));
  const source = await started({ maxOpenFiles: 1 });
  await read(source, numbered(0, 5) + numbered(100, 105));
  const { ino } = await stat(at('a.log'));
  await rm(at('a.log'));
  await writeFile(at('a.log'), numbered(5, 20));
  await read(source, numbered(0, 20) + numbered(100, 105));
  await source.kill();
  await source.start();
  await read(source, numbered(0, 20) + numbered(100, 105));
  expect(ino).toBeGreaterThan(0);
});

test('a symbolic link that leads round in a circle, or nowhere, keeps nobody from the others', async () => {
  await symlink(at('circle'), at('circle'));
  await symlink(at('nowhere'), at('dangling.log'));
  await symlink(folder, at('up'));
  await writeFile(at('a.log'), numbered(0, 3));
  const source = await started({ include: [join(folder, '**', '*'), at('*')] });
  await read(source, numbered(0, 3));
  await writeFile(at('nowhere'), numbered(3, 6));
  await read(source, numbered(0, 6));
});

test('a network mount: no events, no times of creation, attributes that are late (watch: false)', async () => {
  const node = createNodeStorage();
  const late = new Map<string, { readonly status: FileStatus; readonly until: number }>();
  const storage: InputStorage = {
    ...node,
    async stat(path) {
      const known = late.get(path);
      if (known !== undefined && known.until > performance.now()) return known.status;
      const status = { ...(await node.stat(path)), born: null };
      late.set(path, { status, until: performance.now() + 50 });
      return status;
    },
    async open(path) {
      const file = await node.open(path);
      const status = file.status.bind(file);
      file.status = async () => ({ ...(await status()), born: null });
      return file;
    },
  };
  await writeFile(at('app.log'), numbered(0, 5));
  const source = await started({ storage, watchFolders: null });
  await read(source, numbered(0, 5));
  await appendFile(at('app.log'), numbered(5, 10));
  await read(source, numbered(0, 10));
  await rename(at('app.log'), at('app.log.1'));
  await writeFile(at('app.log'), numbered(10, 15));
  await appendFile(at('app.log.1'), numbered(15, 20));
  await read(source, numbered(0, 20));
  await truncate(at('app.log'));
  await appendFile(at('app.log'), numbered(20, 30));
  await read(source, numbered(0, 30));
});

test('a huge file and many small ones: none of these waits for its end', async () => {
  const huge = 400_000;
  await writeFile(at('0-huge.log'), numbered(0, huge, 'a line of some length, as logs have them'));
  for (let file = 0; file < 200; file++) await writeFile(at(`small-${file}.log`), numbered(0, 3, `of ${file}`));
  const source = await started({}, { budgetBytes: 2 * 1024 * 1024 });
  const small = (): number => source.values.reduce((sum, value) => sum + (value.startsWith('of ') ? 1 : 0), 0);
  await eventually(() => source.count > huge / 2, 30_000);
  expect(small()).toBe(600);
  await eventually(() => source.count === huge + 600, 30_000);
}, 60_000);
