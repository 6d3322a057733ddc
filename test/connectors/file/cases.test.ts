/**
 * What befalls files, case by case, with the rows of the bugs of others that they answer: see also `source.test.ts` (identity, rotation), `archives.test.ts`
 * (compressed files), `directory.test.ts` (spool folders), `source-model.test.ts` (all of it by chance).
 */
import { appendFile, mkdir, open, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createNodeStorage, type FileStatus, type InputStorage } from '../../../connectors/file/source/storage.ts';
import type { SourceHarness } from '../../../src/testing/index.ts';
import { fileLife } from './support/life.ts';
import { eventually, lines, numbered } from './support/source.ts';

const life = fileLife();
const { at, started } = life;

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
  const source = await started({ include: [join(life.folder, 'app.log')] }, { budgetBytes: 1024 * 1024 });
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
  await symlink(life.folder, at('up'));
  await writeFile(at('a.log'), numbered(0, 3));
  const source = await started({ include: [join(life.folder, '**', '*'), at('*')] });
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

/** The next read of a file gives what the callback makes of it, as file systems do that do not read as of one moment. */
function tearing(): { readonly storage: InputStorage; tear: ((bytes: Buffer, count: number) => number) | null } {
  const node = createNodeStorage();
  const storage: InputStorage = {
    ...node,
    async open(path) {
      const file = await node.open(path);
      const read = file.read.bind(file);
      file.read = async (bytes, at, length, position) => {
        const count = await read(bytes, at, length, position);
        const { tear } = torn;
        // The small reads are looks, not what records are made of.
        if (tear === null || length < 64 * 1024) return count;
        torn.tear = null;
        return tear(bytes.subarray(at, at + length), count);
      };
      return file;
    },
  };
  const torn: ReturnType<typeof tearing> = { storage, tear: null };
  return torn;
}

test.each([
  ['lines', '\n'],
  ['nul', '\0'],
] as const)(
  'a read beside a truncation gives zeros that nobody wrote: they are no records (%s)',
  async (framing, end) => {
    const torn = tearing();
    const ended = (text: string): string => text.replaceAll('\n', end);
    await writeFile(at('app.log'), ended(numbered(0, 5)));
    const source = await started({ framing: { framing }, storage: torn.storage });
    await read(source, numbered(0, 5));
    let zeros = 0;
    torn.tear = (bytes, count) => {
      zeros = 40;
      return bytes.fill(0, count, count + zeros).length > 0 ? count + zeros : 0;
    };
    await appendFile(at('app.log'), ended(numbered(5, 10)));
    await eventually(() => zeros > 0);
    await truncate(at('app.log'));
    await appendFile(at('app.log'), ended(numbered(10, 40)));
    await eventually(() => source.values.includes('line 39'));
    expect(source.values.filter((value) => !/^line \d+$/.test(value))).toEqual([]);
    expect(new Set(source.values).size).toBe(source.values.length);
  },
);

test('a read that gives old pages and new ones behind them makes no line that nobody wrote', async () => {
  const torn = tearing();
  const padded = (from: number, to: number): string => numbered(from, to, 'some words to make it longer, line');
  const old = Buffer.from(padded(0, 300));
  torn.tear = (bytes, count) => {
    old.copy(bytes, 0, 0, 4096);
    return count;
  };
  await writeFile(at('app.log'), padded(1000, 1400));
  const source = await started({ storage: torn.storage });
  await read(source, padded(1000, 1400));
  expect(torn.tear).toBeNull();
});

test.each([
  ['utf-8', 'utf8', 100],
  ['utf-8', 'utf8', 1_500_000],
  ['utf-16le', 'utf16le', 1_500_000],
] as const)(
  'copied and truncated while its writer does not append: the hole before its next line is left out (%s, %s, %i bytes)',
  async (encoding, text, size) => {
    const words = 'words that make a line long, so that few of them are many bytes; '.repeat(4);
    const numberedWords = (from: number, to: number): string => numbered(from, to, words);
    const lineBytes = (from: number, to: number): Buffer => Buffer.from(numberedWords(from, to), text);
    const first = lineBytes(0, Math.ceil(size / lineBytes(0, 10).length) * 10);
    const count = lines(first.toString(text)).length;
    const writer = await open(at('app.log'), 'w');
    await writer.write(first, 0, first.length, 0);
    const source = await started({ framing: { encoding }, include: [at('app.log')] }, { maxRecordBytes: 256 * 1024 });
    await eventually(() => source.count === count);
    await truncate(at('app.log'));
    await writer.write(lineBytes(count, count + 5), 0, lineBytes(count, count + 5).length, first.length);
    await writer.close();
    await eventually(() => source.count >= count + 5);
    await source.kill();
    await source.start();
    await appendFile(at('app.log'), lineBytes(count + 5, count + 10));
    await read(source, numberedWords(0, count + 10));
    expect(source.rejected).toEqual([]);
    expect(source.lines.filter(({ message }) => message.startsWith('zeros at the beginning'))).toHaveLength(1);
  },
);

test('room that is kept for lines to come is no hole: they are read as they come', async () => {
  await writeFile(at('app.log'), Buffer.alloc(300_000));
  const source = await started();
  const writer = await open(at('app.log'), 'r+');
  await writer.write(numbered(0, 5), 0);
  await eventually(() => source.count === 5);
  await writer.write(numbered(5, 10), numbered(0, 5).length);
  await writer.close();
  await read(source, numbered(0, 10));
});

test('NUL bytes stay what they are where they say something: within lines, between records of `framing: nul`, in `encoding: raw`', async () => {
  await writeFile(at('app.log'), 'a\0b\n\0c\n');
  const source = await started();
  await read(source, 'a\0b\n\0c\n');
  await source.stop();
  await writeFile(at('other.log'), '\0\0a\n');
  const raw = await started({ framing: { encoding: 'raw' }, include: [at('other.log')] });
  await read(raw, '\0\0a\n');
  await raw.stop();
  const nul = await started({ framing: { framing: 'nul' }, include: [at('other.log')] }, { once: true });
  await nul.ended;
  expect(nul.values).toEqual(['', '', 'a\n']);
});

test('a copy of a deleted file whose inode another one took: the position of that one is kept', async () => {
  const long = (from: number, to: number): string => numbered(from, to, 'a line that says more than a number');
  const node = createNodeStorage();
  let taken: string | null = null;
  // When a file system uses an inode again is its own affair.
  const given = (path: string, status: FileStatus): FileStatus =>
    taken !== null && path === at('b.log') ? { ...status, key: taken } : status;
  const storage: InputStorage = {
    ...node,
    stat: async (path) => given(path, await node.stat(path)),
    async open(path) {
      const file = await node.open(path);
      const status = file.status.bind(file);
      file.status = async () => given(path, await status());
      return file;
    },
  };
  await new Promise((resolve) => setTimeout(resolve, 20));
  await writeFile(at('a.log'), long(0, 50));
  const source = await started({ storage });
  await read(source, long(0, 50));
  await source.stop();
  [taken = null] = source.positions.keys();
  await writeFile(at('copy.log'), long(0, 60));
  await rm(at('a.log'));
  source.hold();
  await source.start();
  await eventually(() => source.inFlight === 10);
  await writeFile(at('b.log'), long(100, 110));
  await eventually(() => source.inFlight === 20);
  source.release();
  await read(source, long(0, 60) + long(100, 110));
  await source.stop();
  await source.start();
  await read(source, long(0, 60) + long(100, 110));
});

test('20 rotations, one behind the other, the old file compressed beside them: each line once, each file in its order', async () => {
  const source = await started({ archiveSettleMs: 50 });
  let next = 0;
  const write = async (count: number): Promise<void> => {
    await appendFile(at('app.log'), numbered(next, next + count, `rotation ${rotation}`));
    next += count;
  };
  let rotation = 0;
  for (; rotation < 20; rotation++) {
    for (let part = 0; part < 5; part++) {
      await write(20);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await rename(at('app.log'), at(`app.log.${rotation}`));
    // As `delaycompress` does: the one before it is at rest.
    if (rotation === 0) continue;
    const old = at(`app.log.${rotation - 1}`);
    await writeFile(`${old}.gz`, gzipSync(await readFile(old)));
    await rm(old);
  }
  await eventually(() => source.count >= next);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(source.count).toBe(next);
  const last = new Map<string, number>();
  for (const value of source.values) {
    const [, file, number] = /^rotation (\d+) (\d+)$/.exec(value)!;
    expect(Number(number)).toBeGreaterThan(last.get(file!) ?? -1);
    last.set(file!, Number(number));
  }
  expect(last.size).toBe(20);
}, 30_000);
