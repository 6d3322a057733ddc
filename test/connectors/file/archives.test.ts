import { appendFile, copyFile, mkdir, open, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { FileSourceSettings } from '../../../connectors/file/source/settings.ts';
import type { SourceHarness } from '../../../src/testing/index.ts';
import { fileLife } from './support/life.ts';
import { eventually, lines, numbered } from './support/source.ts';

const life = fileLife();
const { at, started } = life;

async function once(settings: Partial<FileSourceSettings> = {}): Promise<SourceHarness> {
  const source = await started(settings, { once: true });
  await source.ended;
  return source;
}

async function read(source: SourceHarness, text: string): Promise<void> {
  const expected = lines(text);
  await eventually(() => source.records.length >= expected.length, 3000).catch(() => undefined);
  expect([...source.values].sort()).toEqual([...expected].sort());
}

/** What a second look, or a third, brings. */
async function rest(ms = 120): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

const formats = [
  ['gzip', 'gz', (text: string | Buffer): Buffer => gzipSync(text)],
  ['zstd', 'zst', (text: string | Buffer): Buffer => zstdCompressSync(text)],
] as const;

describe.each(formats)('%s', (_name, ending, compress) => {
  test('is read once, whatever it is called, and not again after restarts', async () => {
    await writeFile(at('old.log'), compress(numbered(0, 3)));
    await writeFile(at(`b.${ending}`), compress(`${numbered(3, 6)}last`));
    const source = await started();
    await read(source, `${numbered(0, 6)}last\n`);
    await source.stop();
    await rename(at('old.log'), at('older.log'));
    await source.start();
    await rest();
    expect(source.count).toBe(7);
    const again = await once();
    expect(again.count).toBe(7);
  });

  test('all members and frames are read as one, lines across them too', async () => {
    const parts = [numbered(0, 2), 'lin', 'e 2\n', '', numbered(3, 5)].map((part) => compress(part));
    await writeFile(at('a'), Buffer.concat(parts));
    await read(await once(), numbered(0, 5));
  });

  test('larger than any buffer it is read in order; killed within it goes on where it was', async () => {
    const text = numbered(0, 120_000, 'a line of some length, as logs have them');
    await writeFile(at('a'), compress(text));
    const source = await started({}, { budgetBytes: 1024 * 1024 });
    await eventually(() => source.count > 20_000);
    await source.kill();
    expect(source.count).toBeLessThan(120_000);
    await source.start();
    await eventually(() => source.count >= 120_000);
    await rest();
    expect(source.values).toEqual(lines(text));
  });

  test('of a rotated file that was read before it holds nothing new', async () => {
    await writeFile(at('app.log'), numbered(0, 100));
    const source = await started();
    await read(source, numbered(0, 100));
    await rename(at('app.log'), at('app.log.1'));
    await writeFile(at('app.log'), numbered(100, 110));
    await compressed('app.log.1', `app.log.1.${ending}`, compress);
    await read(source, numbered(0, 110));
    await rest();
    expect(source.count).toBe(110);
  });

  test('of a file that was partly read while the source was stopped holds the rest', async () => {
    await writeFile(at('app.log'), numbered(0, 100));
    const source = await started();
    await read(source, numbered(0, 100));
    await source.stop();
    await appendFile(at('app.log'), `${numbered(100, 150)}half`);
    await compressed('app.log', `app.log.1.${ending}`, compress);
    await writeFile(at('app.log'), numbered(150, 160));
    await source.start();
    await read(source, `${numbered(0, 160)}half\n`);
    await rest();
    expect(source.count).toBe(161);
    // What said how far the original was read is not needed any more.
    await eventually(() => source.positions.size === 2);
  });

  test('of a few lines only is known by its name and what it holds', async () => {
    await writeFile(at('app.log'), numbered(0, 3));
    const source = await started();
    await read(source, numbered(0, 3));
    await source.stop();
    await appendFile(at('app.log'), numbered(3, 5));
    await writeFile(at(`other.${ending}`), compress(numbered(0, 3)));
    await compressed('app.log', `app.log.1.${ending}`, compress);
    await source.start();
    await read(source, numbered(0, 5) + numbered(0, 3));
  });

  test('of a copytruncate, taken before the copy was seen, holds what was not read of the original', async () => {
    await writeFile(at('app.log'), numbered(0, 100));
    const source = await started();
    await read(source, numbered(0, 100));
    await source.stop();
    await appendFile(at('app.log'), numbered(100, 120));
    await copyFile(at('app.log'), at('app.log.1'));
    await truncate(at('app.log'));
    await compressed('app.log.1', `app.log.1.${ending}`, compress);
    await appendFile(at('app.log'), numbered(120, 125));
    await source.start();
    await read(source, numbered(0, 125));
    await rest();
    expect(source.count).toBe(125);
  });

  test('waits until it is complete, and while its original is there', async () => {
    await writeFile(at('app.log'), numbered(0, 500));
    const source = await started();
    await read(source, numbered(0, 500));
    await rename(at('app.log'), at('app.log.1'));
    const whole = compress(numbered(0, 500));
    await writeFile(at(`app.log.1.${ending}`), whole.subarray(0, whole.length - 9));
    await rest();
    await appendFile(at(`app.log.1.${ending}`), whole.subarray(whole.length - 9));
    await rest();
    await rm(at('app.log.1'));
    await rest();
    expect(source.count).toBe(500);
    expect(source.rejected).toEqual([]);
    // One without an original, too.
    await writeFile(at(`b.${ending}`), compress(numbered(500, 600)).subarray(0, -5));
    await rest();
    await writeFile(at(`b.${ending}`), compress(numbered(500, 600)));
    await read(source, numbered(0, 600));
    expect(source.rejected).toEqual([]);
  });

  test('one that was cut is read up to there, then refused with its place; the others flow', async () => {
    const text = numbered(0, 30_000);
    await writeFile(at('a'), compress(text).subarray(0, -2000));
    await writeFile(at('b.log'), numbered(0, 3, 'other'));
    const source = await started({ archiveWaitMs: 50 });
    await eventually(() => source.rejected.length === 1);
    const own = source.values.filter((value) => value.startsWith('line'));
    expect(own.length).toBeGreaterThan(100);
    expect(own).toEqual(lines(text).slice(0, own.length));
    expect(source.values.filter((value) => value.startsWith('other'))).toHaveLength(3);
    const offset = Buffer.byteLength(numbered(0, own.length));
    expect(source.rejected).toMatchObject([{ position: `${at('a')}@${offset}`, error: { code: 'ARCHIVE_DAMAGED' } }]);
    expect(source.rejected[0]!.error.message).toContain(`"${at('a')}": truncated at byte`);
    // Told once, also after a restart.
    await source.kill();
    await source.start();
    await rest();
    expect(source.rejected).toHaveLength(1);
    // Mended it goes on where it was.
    await writeFile(at('a'), compress(text));
    await eventually(() => source.count === 30_003);
  });

  test('one that is damaged gives whatever stands before the fault', async () => {
    const first = compress(numbered(0, 1000));
    const rubbish = Buffer.from(`half a line in ${'rubbish '.repeat(50)}`);
    await writeFile(at('a'), Buffer.concat([first, rubbish]));
    const source = await once();
    await read(source, numbered(0, 1000));
    expect(source.rejected).toMatchObject([
      { position: `${at('a')}@${Buffer.byteLength(numbered(0, 1000))}`, error: { code: 'ARCHIVE_DAMAGED' } },
    ]);
    expect(source.rejected[0]!.value!.toString()).toBe('');
    const told = source.lines.find(({ level }) => level === 'warn')!.fields as { at: number };
    // A byte of the next header may be right by chance.
    expect(told.at - first.length).toBeLessThanOrEqual(1);
    expect(source.rejected[0]!.error.message).toContain(`damaged at byte ${told.at}`);
  });

  test('a bomb is streamed, not held', async () => {
    // 600 MB of line feeds, two levels deep to write it quickly.
    const megabytes = 600;
    const block = Buffer.alloc(1024 * 1024, `${'x'.repeat(1023)}\n`);
    const file = await open(at('bomb'), 'w');
    const member = compress(Buffer.concat(Array.from({ length: 20 }, () => block)));
    for (let written = 0; written < megabytes / 20; written++) await file.write(member);
    await file.close();
    const before = process.memoryUsage();
    let most = 0;
    const watch = setInterval(() => {
      const { arrayBuffers } = process.memoryUsage();
      most = Math.max(most, arrayBuffers);
    }, 10);
    const source = await started({}, { keepsRecords: false, budgetBytes: 4 * 1024 * 1024 });
    await eventually(() => source.count === megabytes * 1024, 60_000);
    clearInterval(watch);
    expect(most - before.arrayBuffers).toBeLessThan(96 * 1024 * 1024);
  }, 90_000);

  test('a bomb without lines is one line too long', async () => {
    await writeFile(at('bomb'), compress(Buffer.alloc(50 * 1024 * 1024, 'x')));
    await writeFile(at('b.log'), numbered(0, 3));
    const source = await once();
    await read(source, numbered(0, 3));
    expect(source.rejected).toMatchObject([{ error: { code: 'RECORD_TOO_LARGE' } }]);
  });

  test('a bomb of zeros is no line, which is said; a line behind zeros is read', async () => {
    const zeros = Buffer.alloc(20 * 1024 * 1024);
    await writeFile(at('bomb'), compress(zeros));
    await writeFile(at('holed'), compress(Buffer.concat([zeros, Buffer.from(numbered(0, 3))])));
    const source = await once();
    await read(source, numbered(0, 3));
    expect(source.rejected).toEqual([]);
    const said = source.lines.filter(({ message }) => message.startsWith('zeros at the beginning'));
    expect(said.map(({ fields }) => fields)).toMatchObject([{ bytes: zeros.length }, { bytes: zeros.length }]);
  });
});

test('an appended member is read, and nothing before it again', async () => {
  await writeFile(at('a.gz'), gzipSync(numbered(0, 50)));
  const source = await started();
  await read(source, numbered(0, 50));
  await appendFile(at('a.gz'), gzipSync(numbered(50, 60)));
  await read(source, numbered(0, 60));
});

test('zeros that pad a gzip file are none of it', async () => {
  await writeFile(at('a.gz'), Buffer.concat([gzipSync(numbered(0, 50)), Buffer.alloc(100_000)]));
  const source = await once();
  await read(source, numbered(0, 50));
  expect(source.rejected).toEqual([]);
});

test('a compressed copy beside a file that stays is not read', async () => {
  await writeFile(at('app.log'), numbered(0, 50));
  await writeFile(at('copy.gz'), gzipSync(numbered(0, 50)));
  const source = await once();
  await read(source, numbered(0, 50));
  const following = await started();
  await read(following, numbered(0, 50));
  await rest();
  await appendFile(at('app.log'), numbered(50, 60));
  await read(following, numbered(0, 60));
  await eventually(() => following.status === '2 files, following');
});

test('a file begins like another, but holds more: it is read', async () => {
  await writeFile(at('app.log'), 'the same header\n');
  await writeFile(at('b.gz'), gzipSync(`the same header\n${numbered(0, 50)}`));
  await read(await started(), `the same header\nthe same header\n${numbered(0, 50)}`);
});

test('one that was moved to another disk is known by what it holds', async () => {
  await writeFile(at('a.gz'), gzipSync(numbered(0, 100)));
  const source = await started();
  await read(source, numbered(0, 100));
  await source.stop();
  await copyFile(at('a.gz'), at('b.gz'));
  await rm(at('a.gz'));
  await source.start();
  await rest();
  expect(source.count).toBe(100);
  await eventually(() => source.positions.size === 1);
});

test('xz and bzip2 are left out, and said so once', async () => {
  await writeFile(at('a.log'), numbered(0, 3));
  await writeFile(at('a.log.1.xz'), Buffer.from('fd377a585a000004e6d6b446', 'hex'));
  const source = await started();
  await read(source, numbered(0, 3));
  await rest();
  const told = source.lines.filter(({ message }) => message.includes('compressed'));
  expect(told).toMatchObject([{ level: 'warn', fields: { path: at('a.log.1.xz'), compression: 'xz' } }]);
});

test('start: end leaves them out, ignore_older too', async () => {
  await mkdir(at('sub'));
  await writeFile(at('a.gz'), gzipSync(numbered(0, 3)));
  const source = await started({ start: 'end' });
  await eventually(() => source.positions.size === 2);
  await writeFile(at('b.gz'), gzipSync(numbered(3, 6)));
  await read(source, numbered(3, 6));
  await source.stop();
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(at('a.gz'), longAgo, longAgo);
  const other = await once({ ignoreOlderMs: 60_000 });
  await read(other, numbered(3, 6));
});

test('what was read of a deleted file is not forgotten while its compressed copy is looked at', async () => {
  await writeFile(at('app.log'), numbered(0, 100));
  const source = await started({ closeInactiveMs: 30, archiveSettleMs: 300 });
  await read(source, numbered(0, 100));
  await compressed('app.log', 'app.log.1.gz', gzipSync);
  await rest(700);
  expect(source.count).toBe(100);
});

async function compressed(from: string, to: string, compress: (bytes: Buffer) => Buffer): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  await writeFile(at(to), compress(await readFile(at(from))));
  await rm(at(from));
}
