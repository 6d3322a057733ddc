import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sinkDefinition } from '../../../connectors/file/sink-definition.ts';
import { ManualClock, publishedFiles } from '../../../src/testing/index.ts';
import { failure, Killed, MemoryStorage } from './support/memory-storage.ts';
import { closeLeftOpen, fileSinkHarness, pathBy, publishedLines, rawLines, temporaryFolder } from './support/sink.ts';

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  await closeLeftOpen();
  await rm(folder, { recursive: true, force: true });
});

const stateNames = async (): Promise<string[]> => (await readdir(join(folder, '.sluice-files'))).sort();

test('what was written is seen after the flush, and not before', async () => {
  const harness = fileSinkHarness({ folder });
  harness.append(0, ['one', 'two']);
  await harness.start();
  expect(await harness.write()).toEqual({ failures: [] });
  expect(await publishedFiles(folder)).toEqual([]);
  await harness.flush();
  expect(await publishedFiles(folder)).toEqual([join(folder, 'lines+AAAAAAAA+0+000000001.log')]);
  expect(await publishedLines(folder)).toEqual(['one', 'two']);
  expect(await stateNames()).toEqual(['lines+AAAAAAAA+0+000000001']);
  expect(harness.status).toBe('1 file published');
  await harness.stop();
});

test('a manifest says which records are in which files', async () => {
  const harness = fileSinkHarness({ folder });
  harness.append(0, ['one', 'two']);
  await harness.start();
  await harness.write();
  await harness.flush();
  const manifest = JSON.parse(
    await readFile(join(folder, '.sluice-files/lines+AAAAAAAA+0+000000001'), 'utf8'),
  ) as object;
  expect(manifest).toEqual({
    version: 1,
    sequence: 1,
    reset: 0,
    first: 0,
    next: 2,
    files: [
      {
        path: 'lines+AAAAAAAA+0+000000001.log',
        temp: 'lines+AAAAAAAA+0+000000001+1+hub.temp',
        length: 8,
        crc32: expect.any(Number) as number,
      },
    ],
  });
  await harness.stop();
});

test('a life begins where the manifest ends, though the offset was never saved', async () => {
  const harness = fileSinkHarness({ folder, partitions: 2 });
  harness.append(0, ['a', 'b']);
  harness.append(1, ['c']);
  await harness.start();
  await harness.write();
  await harness.flush();
  harness.committed.fill(null);
  harness.append(0, ['d']);
  harness.kill();
  await harness.start();
  await harness.write();
  await harness.stop();
  expect((await publishedLines(folder)).sort()).toEqual(['a', 'b', 'c', 'd']);
});

test('what was not flushed is written again by the next life, and nothing of the old is left', async () => {
  const harness = fileSinkHarness({ folder });
  harness.append(0, ['a', 'b']);
  await harness.start();
  await harness.write();
  harness.kill();
  await harness.start();
  await harness.write();
  await harness.stop();
  expect(await publishedLines(folder)).toEqual(['a', 'b']);
  expect(await stateNames()).toEqual(['lines+AAAAAAAA+0+000000001']);
});

test("an operator's reset is obeyed: records are written again from there", async () => {
  const harness = fileSinkHarness({ folder });
  harness.append(0, ['a', 'b']);
  await harness.start();
  await harness.write();
  await harness.stop();
  harness.reset = 1;
  harness.committed[0] = 1;
  await harness.start();
  await harness.write();
  await harness.stop();
  expect(await publishedLines(folder)).toEqual(['a', 'b', 'b']);
  harness.committed[0] = 0;
  await harness.start();
  expect(await harness.write()).toBeNull();
  await harness.stop();
});

test('partitions publish apart from each other', async () => {
  const harness = fileSinkHarness({ folder, partitions: 2 });
  harness.append(0, ['a']);
  harness.append(1, ['b']);
  await harness.start();
  await harness.write();
  await harness.flush([1]);
  expect(await publishedLines(folder)).toEqual(['b']);
  await harness.stop();
});

test('a partition without new records publishes nothing', async () => {
  const harness = fileSinkHarness({ folder });
  await harness.start();
  await harness.flush();
  await harness.stop();
  expect(await publishedFiles(folder)).toEqual([]);
  expect(await stateNames()).toEqual([]);
});

test('a revoked partition leaves nothing behind', async () => {
  const harness = fileSinkHarness({ folder });
  harness.append(0, ['a']);
  await harness.start();
  await harness.write();
  await harness.revoke([0]);
  expect(await stateNames()).toEqual([]);
});

describe('rolling', () => {
  test.each([
    ['size', { size: 8 }],
    ['records', { records: 3 }],
  ])('by %s', async (_, roll) => {
    const harness = fileSinkHarness({ folder, roll });
    harness.append(0, ['aa', 'bb', 'cc']);
    await harness.start();
    await harness.write({ maxRecords: 2 });
    expect(harness.requested.size).toBe(0);
    await harness.write({ maxRecords: 1 });
    expect([...harness.requested]).toEqual([0]);
    await harness.stop();
  });

  test('by age, though records keep coming', async () => {
    const clock = new ManualClock();
    const harness = fileSinkHarness({ folder, roll: { age: 5000 }, clock });
    await harness.start();
    for (let second = 0; second < 5; second++) {
      harness.append(0, ['a']);
      await harness.write();
      expect(harness.requested.size).toBe(0);
      await clock.advance(1000);
    }
    expect([...harness.requested]).toEqual([0]);
    await harness.stop();
  });

  test('when nothing comes any more, and again after the next records', async () => {
    const clock = new ManualClock();
    const harness = fileSinkHarness({ folder, clock });
    await harness.start();
    for (const value of ['a', 'b']) {
      harness.append(0, [value]);
      await harness.write();
      await clock.advance(1999);
      expect(harness.requested.size).toBe(0);
      await clock.advance(1);
      expect([...harness.requested]).toEqual([0]);
      await harness.flushRequested();
    }
    expect(await publishedFiles(folder)).toHaveLength(2);
    await harness.stop();
  });
});

describe('formats', () => {
  test('raw keeps bytes as they are and ends each value with one line feed', async () => {
    const harness = fileSinkHarness({ folder });
    const values = ['plain', 'fed\n', 'two\nlines', '', Buffer.from([0xff, 0x00, 0xfe])];
    harness.append(0, [...values.map((value) => ({ value })), { value: null }]);
    await harness.start();
    await harness.write();
    await harness.stop();
    const [file] = await publishedFiles(folder);
    const expected = Buffer.concat([
      Buffer.from('plain\nfed\ntwo\nlines\n\n'),
      Buffer.from([0xff, 0x00, 0xfe]),
      Buffer.from('\n\n'),
    ]);
    expect(await readFile(file!)).toEqual(expected);
  });

  test('ndjson writes one JSON text a line and refuses what is none', async () => {
    const harness = fileSinkHarness({ folder, content: { ...rawLines, isJson: true, ending: '.ndjson' } });
    harness.append(0, [
      '{"a":1}',
      'not json',
      '{\n  "b": "x\\ny"\r\n}',
      { value: null },
      '',
      '{"c":1}{"d":2}',
      '"é"',
      { value: Buffer.from([0x22, 0xff, 0x22]) },
    ]);
    await harness.start();
    await harness.write();
    await harness.stop();
    expect(await publishedLines(folder)).toEqual(['{"a":1}', '{   "b": "x\\ny"  }', 'null', '"é"']);
    expect((await publishedFiles(folder))[0]).toMatch(/\.ndjson$/);
    expect(harness.refused.map(({ offset, failure }) => [offset, failure.disposition, failure.error.code])).toEqual([
      [1, 'reject', 'SINK_REJECTED'],
      [4, 'reject', 'SINK_REJECTED'],
      [5, 'reject', 'SINK_REJECTED'],
      [7, 'reject', 'SINK_REJECTED'],
    ]);
    expect(harness.refused[0]!.failure.error.message).toBe(
      'writing NDJSON: the value is not JSON: at byte 0 there is "not json"',
    );
  });
});

describe('a template as path', () => {
  test('sorts records into folders', async () => {
    const harness = fileSinkHarness({
      folder,
      path: pathBy(folder, (value) => `by/${(value as { user: string }).user}`),
    });
    harness.append(0, ['{"user":"a","n":1}', '{"user":"b","n":2}', '{"user":"a","n":3}']);
    await harness.start();
    await harness.write();
    await harness.stop();
    expect(await publishedLines(join(folder, 'by/a'))).toEqual(['{"user":"a","n":1}', '{"user":"a","n":3}']);
    expect(await publishedLines(join(folder, 'by/b'))).toEqual(['{"user":"b","n":2}']);
  });

  test.each([
    '../x',
    'a/../../x',
    'a/./b',
    'a//b',
    '/etc',
    '.sluice-files',
    'a/.hidden',
    'nul\0',
    '..',
    'x'.repeat(300),
    '',
  ])('never leaves its folder: %j', async (escape) => {
    const harness = fileSinkHarness({ folder, path: pathBy(folder, (value) => (value as { to: string }).to) });
    harness.append(0, [JSON.stringify({ to: escape }), '{"to":"good"}']);
    await harness.start();
    await harness.write();
    await harness.stop();
    expect(harness.refused.map(({ failure }) => failure.error.code)).toEqual(['TEMPLATE_ESCAPED']);
    expect(await publishedFiles(folder)).toHaveLength(1);
  });

  test('more files than descriptors', async () => {
    const harness = fileSinkHarness({
      folder,
      path: pathBy(folder, (value) => `u${(value as number) % 40}`),
      maxOpenFiles: 3,
    });
    harness.append(
      0,
      Array.from({ length: 400 }, (_, index) => String(index)),
    );
    await harness.start();
    while ((await harness.write({ maxRecords: 100 })) !== null);
    await harness.stop();
    expect(await publishedFiles(folder)).toHaveLength(40);
    expect((await publishedLines(folder)).map(Number).sort((a, b) => a - b)).toEqual([...Array(400).keys()]);
  });

  test('very many values are published before they become too many for a manifest', async () => {
    const harness = fileSinkHarness({ folder, path: pathBy(folder, (value) => `u${value as number}`) });
    harness.append(
      0,
      Array.from({ length: 1000 }, (_, index) => String(index)),
    );
    await harness.start();
    await harness.write();
    expect([...harness.requested]).toEqual([0]);
    harness.kill();
  });

  test('does not publish through a symbolic link', async () => {
    const outside = await temporaryFolder();
    await symlink(outside, join(folder, 'a'));
    const harness = fileSinkHarness({ folder, path: pathBy(folder, () => 'a/b') });
    harness.append(0, ['1']);
    await harness.start();
    await harness.write();
    await expect(harness.flush()).rejects.toMatchObject({ code: 'SINK_BLOCKED', retryable: false });
    expect(await publishedFiles(outside)).toEqual([]);
    expect(await stateNames()).not.toContain('lines+AAAAAAAA+0+000000001');
    await rm(outside, { recursive: true });
  });
});

describe("other people's files", () => {
  test('are never touched', async () => {
    await mkdir(join(folder, '.sluice-files'), { recursive: true });
    const foreign = [
      'notes.txt',
      '.sluice-files/lines+BBBBBBBB+0+000000001+1+hub.temp',
      '.sluice-files/lines+AAAAAAAA+1+000000001+1+hub.temp',
    ];
    for (const name of foreign) await writeFile(join(folder, name), 'mine');
    const harness = fileSinkHarness({ folder });
    harness.append(0, ['a']);
    await harness.start();
    await harness.write();
    await harness.stop();
    for (const name of foreign) expect(await readFile(join(folder, name), 'utf8')).toBe('mine');
  });

  test('with our name stop the sink before anything is committed', async () => {
    const name = 'lines+AAAAAAAA+0+000000001.log';
    await writeFile(join(folder, name), 'mine');
    const harness = fileSinkHarness({ folder });
    harness.append(0, ['a']);
    await harness.start();
    await harness.write();
    await expect(harness.flush()).rejects.toMatchObject({ code: 'SINK_CONFLICT', retryable: false });
    expect(await readFile(join(folder, name), 'utf8')).toBe('mine');
    harness.kill();
    await rm(join(folder, name));
    await harness.start();
    await harness.write();
    await harness.stop();
    expect(await publishedLines(folder)).toEqual(['a']);
  });
});

test('of two writers of a partition one publishes and the other starts anew behind it', async () => {
  const first = fileSinkHarness({ folder, hubId: 'one' });
  const second = fileSinkHarness({ folder, hubId: 'two' });
  first.append(0, ['a', 'b']);
  second.append(0, ['a', 'b']);
  await first.start();
  await second.start();
  await first.write();
  await second.write();
  await first.flush();
  await expect(second.flush()).rejects.toMatchObject({ code: 'SINK_CONFLICT', retryable: true });
  second.kill();
  await second.start();
  expect(await second.write()).toBeNull();
  await second.stop();
  await first.stop();
  expect(await publishedLines(folder)).toEqual(['a', 'b']);
});

test('a published file that a reader took away is not published again', async () => {
  const harness = fileSinkHarness({ folder });
  harness.append(0, ['a']);
  await harness.start();
  await harness.write();
  await harness.flush();
  for (const file of await publishedFiles(folder)) await rm(file);
  harness.kill();
  await harness.start();
  expect(await harness.write()).toBeNull();
  await harness.stop();
  expect(await publishedFiles(folder)).toEqual([]);
});

test('a file that a reader moved away between its two names is not published again', async () => {
  const storage = new MemoryStorage(() => 1);
  const harness = fileSinkHarness({ folder: '/out', storage });
  harness.append(0, ['a']);
  await harness.start();
  await harness.write();
  storage.before = (operation, path) => {
    if (operation === 'unlink' && path.endsWith('+1+hub.temp')) throw new Killed();
  };
  await expect(harness.flush()).rejects.toThrow();
  harness.kill();
  storage.before = () => undefined;
  const path = '/out/lines+AAAAAAAA+0+000000001.log';
  await storage.makeFolder('/elsewhere');
  await storage.link(path, '/elsewhere/taken');
  await storage.unlink(path);
  await harness.start();
  expect(await harness.write()).toBeNull();
  await harness.stop();
  expect([...storage.files('/out').keys()]).toEqual(['/out/.sluice-files/lines+AAAAAAAA+0+000000001']);
});

test('a saved offset beyond the newest manifest holds: the records between were left out', async () => {
  const harness = fileSinkHarness({ folder });
  harness.append(0, ['a', 'dropped', 'b']);
  await harness.start();
  await harness.write({ maxRecords: 1 });
  await harness.flush();
  harness.kill();
  harness.committed[0] = 2;
  await harness.start();
  await harness.write();
  await harness.stop();
  expect(await publishedLines(folder)).toEqual(['a', 'b']);
  const second = JSON.parse(await readFile(join(folder, '.sluice-files/lines+AAAAAAAA+0+000000002'), 'utf8')) as object;
  expect(second).toMatchObject({ first: 1, next: 3 });
});

describe('when the file system refuses', () => {
  test.each([
    ['ENOSPC', 'retry', 'SINK_UNAVAILABLE'],
    ['EDQUOT', 'retry', 'SINK_UNAVAILABLE'],
    ['EIO', 'retry', 'SINK_UNAVAILABLE'],
    ['EACCES', 'block', 'SINK_BLOCKED'],
    ['EROFS', 'block', 'SINK_BLOCKED'],
  ])('%s while writing: %s, and the next attempt leaves nothing torn', async (code, disposition, errorCode) => {
    const storage = new MemoryStorage(() => 1);
    const harness = fileSinkHarness({ folder: '/out', storage, partitions: 2 });
    harness.append(0, ['a', 'bb']);
    harness.append(1, ['c', 'dd']);
    await harness.start();
    await harness.write({ maxRecords: 1 });
    let writes = 0;
    storage.before = (operation) => {
      if (operation === 'write' && ++writes === 2) throw failure(code);
    };
    const refused = await harness.write();
    expect(refused).toMatchObject({
      batch: { disposition, error: { code: errorCode, retryable: disposition === 'retry' } },
    });
    // What the first of the two writes left behind what counts must not be published.
    await harness.flush();
    expect(storage.files('/out').get('/out/lines+AAAAAAAA+0+000000001.log')!.toString()).toBe('a\n');
    await harness.write();
    await harness.stop();
    expect(storage.files('/out').get('/out/lines+AAAAAAAA+0+000000002.log')!.toString()).toBe('bb\n');
    expect(storage.files('/out').get('/out/lines+AAAAAAAA+1+000000002.log')!.toString()).toBe('dd\n');
  });

  test('permission while publishing: the sink waits for an operator and has lost nothing', async () => {
    const storage = new MemoryStorage(() => 1);
    const harness = fileSinkHarness({ folder: '/out', storage });
    harness.append(0, ['a']);
    await harness.start();
    await harness.write();
    storage.before = (operation, path) => {
      if (operation === 'link' && path.endsWith('.log')) throw failure('EACCES');
    };
    await expect(harness.flush()).rejects.toMatchObject({ code: 'SINK_BLOCKED', retryable: false });
    harness.kill();
    await expect(harness.start()).rejects.toMatchObject({ code: 'SINK_BLOCKED' });
    storage.before = () => undefined;
    await harness.start();
    expect(await harness.write()).toBeNull();
    await harness.stop();
    expect(storage.files('/out').get('/out/lines+AAAAAAAA+0+000000001.log')!.toString()).toBe('a\n');
  });

  test('too many open files: those of the sink are closed first', async () => {
    const storage = new MemoryStorage(() => 1);
    const harness = fileSinkHarness({
      folder: '/out',
      storage,
      path: pathBy('/out', (value) => `u${value as number}`),
    });
    let opened = 0;
    storage.before = (operation) => {
      if (operation.startsWith('open') && ++opened % 4 === 0) throw failure('EMFILE');
    };
    harness.append(0, ['0', '1', '2', '3', '4', '5', '6', '7']);
    await harness.start();
    expect(await harness.write()).toEqual({ failures: [] });
    await harness.stop();
    expect(opened).toBeGreaterThan(4);
  });

  test('a temporary file that somebody removed is noticed before the commit', async () => {
    const harness = fileSinkHarness({ folder });
    harness.append(0, ['a']);
    await harness.start();
    await harness.write();
    await rm(join(folder, '.sluice-files/lines+AAAAAAAA+0+000000001+1+hub.temp'));
    await expect(harness.flush()).rejects.toMatchObject({ code: 'SINK_CONFLICT', retryable: true });
    harness.kill();
    await harness.start();
    await harness.write();
    await harness.stop();
    expect(await publishedLines(folder)).toEqual(['a']);
  });

  test('the whole folder removed: it is made again and the records are written again', async () => {
    const harness = fileSinkHarness({ folder });
    harness.append(0, ['a']);
    await harness.start();
    await harness.write();
    await rm(folder, { recursive: true });
    await expect(harness.flush()).rejects.toMatchObject({ retryable: true });
    harness.kill();
    await harness.start();
    await harness.write();
    await harness.stop();
    expect(await publishedLines(folder)).toEqual(['a']);
  });

  test('another file system below the folder is named before the commit', async () => {
    const storage = new MemoryStorage(() => 1);
    const stat = storage.stat.bind(storage);
    storage.stat = async (path) => {
      const found = await stat(path);
      return found !== null && path === '/out/mounted' ? { ...found, device: '2' } : found;
    };
    const harness = fileSinkHarness({ folder: '/out', storage, path: pathBy('/out', () => 'mounted') });
    harness.append(0, ['1']);
    await harness.start();
    await harness.write();
    await expect(harness.flush()).rejects.toMatchObject({ code: 'SINK_BLOCKED' });
    expect([...storage.files('/out').keys()]).not.toContain('/out/.sluice-files/lines+AAAAAAAA+0+000000001');
  });
});

test('a damaged manifest stops the sink and is named', async () => {
  await mkdir(join(folder, '.sluice-files'), { recursive: true });
  const path = join(folder, '.sluice-files/lines+AAAAAAAA+0+000000007');
  await writeFile(path, '{"version":1,"files":[{"path":"../../etc"}]}');
  const harness = fileSinkHarness({ folder });
  await expect(harness.start()).rejects.toMatchObject({
    code: 'SINK_BLOCKED',
    message: expect.stringContaining(path) as string,
  });
});

test('only so many manifests are kept', async () => {
  const harness = fileSinkHarness({ folder });
  await harness.start();
  harness.append(0, ['a']);
  await harness.write();
  await harness.flush();
  await writeFile(
    join(folder, '.sluice-files/lines+AAAAAAAA+0+000000001'),
    await readFile(join(folder, '.sluice-files/lines+AAAAAAAA+0+000000001')),
  );
  harness.kill();
  for (let sequence = 2; sequence <= 1005; sequence++) {
    const manifest = { version: 1, sequence, reset: 0, first: 1, next: 1, files: [] };
    await writeFile(
      join(folder, `.sluice-files/lines+AAAAAAAA+0+${String(sequence).padStart(9, '0')}`),
      JSON.stringify(manifest),
    );
  }
  await harness.start();
  expect(await stateNames()).toHaveLength(1000);
  harness.append(0, ['b']);
  await harness.write();
  await harness.stop();
  expect(await stateNames()).toHaveLength(1000);
  expect(await publishedLines(folder)).toEqual(['a', 'b']);
});

test('the definition names the folder that no other sink may have', () => {
  expect(sinkDefinition.resources?.({ path: `${folder}/a/{{ value.x }}` } as never)).toEqual([`folder ${folder}/a`]);
  expect(sinkDefinition.resources?.({ path: folder } as never)).toEqual([`folder ${folder}`]);
});
