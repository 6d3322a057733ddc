import {
  appendFile,
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { sourceDefinition } from '../../../connectors/file/source-definition.ts';
import { createNodeStorage, type InputStorage } from '../../../connectors/file/source/storage.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { createSourceHarness, type SourceHarness } from '../../../src/testing/index.ts';
import { fileLife } from './support/life.ts';
import { eventually, fileSourceHarness, lines, numbered } from './support/source.ts';

const nodeStorage = createNodeStorage();
const life = fileLife();
const { at, started } = life;

const sorted = (values: readonly string[]): string[] => [...values].sort();

async function read(source: SourceHarness, expected: readonly string[]): Promise<void> {
  await eventually(() => source.records.length >= expected.length).catch(() => undefined);
  expect(sorted(source.values)).toEqual(sorted(expected));
}

/** What a second look, or a third, brings. */
async function rest(ms = 80): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

describe('following', () => {
  test('reads what is there, what is written later, and files that appear', async () => {
    await writeFile(at('a.log'), numbered(0, 3));
    const source = await started();
    await read(source, lines(numbered(0, 3)));
    await appendFile(at('a.log'), numbered(3, 5));
    await writeFile(at('b.log'), numbered(0, 2, 'other'));
    await read(source, [...lines(numbered(0, 5)), ...lines(numbered(0, 2, 'other'))]);
    expect(new Set(source.records.map(({ stream }) => stream))).toEqual(new Set([at('a.log'), at('b.log')]));
    await eventually(() => source.status === '2 files, following');
  });

  test('goes on where it stopped, and where it was killed', async () => {
    await writeFile(at('a.log'), numbered(0, 3));
    const source = await started();
    await read(source, lines(numbered(0, 3)));
    await source.stop();
    await appendFile(at('a.log'), numbered(3, 5));
    await source.start();
    await read(source, lines(numbered(0, 5)));
    source.hold();
    await appendFile(at('a.log'), numbered(5, 9));
    await eventually(() => source.inFlight === 4);
    await source.kill();
    await source.start();
    await read(source, lines(numbered(0, 9)));
    expect([...source.positions.values()]).toMatchObject([{ path: at('a.log'), offset: numbered(0, 9).length }]);
  });

  test('what the topic did not take is read again (fluent-bit#2846, vector#13714)', async () => {
    await writeFile(at('a.log'), numbered(0, 1000));
    const harness = life.create();
    harness.refuseNext();
    await harness.start();
    await expect(harness.ended).rejects.toMatchObject({ code: 'LOG_FULL' });
    await harness.stop().catch(() => undefined);
    expect(harness.positions.size).toBe(0);
    await harness.start();
    await read(harness, lines(numbered(0, 1000)));
  });

  test('an unfinished line waits for its line feed, over a restart too (fluent-bit#11265)', async () => {
    await writeFile(at('a.log'), 'first\nabc');
    const source = await started();
    await read(source, ['first']);
    await source.stop();
    await source.start();
    await rest();
    await appendFile(at('a.log'), 'def\n');
    await read(source, ['first', 'abcdef']);
  });

  test('bytes stay as they are; only the byte order mark and the line end go, of CR LF as well', async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0x00, 0x80, 0x0d, 0x0a, 0x0a, 0x61, 0x0d, 0x62, 0x0a]);
    await writeFile(at('a.log'), bytes);
    const source = await started();
    await eventually(() => source.records.length === 3);
    const hex = source.records.map(({ value }) => value!.toString('hex'));
    expect(hex).toEqual(['ff0080', '', '610d62']);
    await source.stop();
    const keeping = fileSourceHarness(
      life.folder,
      { framing: { encoding: 'raw', keepsCarriageReturn: true } },
      { once: true },
    );
    await keeping.start();
    await keeping.ended;
    expect(keeping.records[0]!.value!.toString('hex')).toBe('efbbbfff00800d');
  });

  test('a small file gets its turn while a large one is read', async () => {
    await writeFile(at('a-large.log'), numbered(0, 100_000, 'a rather long line of a file that is read for a while'));
    await writeFile(at('b-small.log'), 'small\n');
    const source = await started({}, { budgetBytes: 1024 * 1024 });
    await eventually(() => source.emits.some(({ stream }) => stream === at('b-small.log')));
    const emit = source.emits.findIndex(({ stream }) => stream === at('b-small.log'));
    expect(emit).toBeLessThan(20);
    await eventually(() => source.count === 100_001);
  });

  test('events make it quicker than its intervals', async () => {
    const source = createSourceHarness({
      clock: realClock,
      definition: sourceDefinition,
      options: {
        ...{ include: [at('**/*.log')], exclude: [], follow: true, start: 'beginning', keep_carriage_return: false },
        ...{ framing: 'lines', encoding: 'utf-8', on_long_line: 'dead_letter', add_headers: [] },
        ...{ poll_interval: 3_600_000, scan_interval: 3_600_000, watch: true, rotate_wait: 5000 },
        ...{ close_inactive: 300_000, forget_after: 86_400_000, max_open_files: 8 },
      },
    });
    await mkdir(at('below'));
    await life.keep(source).start();
    const write = async (): Promise<void> => {
      await appendFile(at('below/a.log'), 'line\n');
      await rest(30);
    };
    // Nothing tells when the watch stands: until it does, nothing is seen.
    while (source.count === 0) await write();
    const seen = source.count;
    await write();
    await eventually(() => source.count > seen);
    await rename(at('below/a.log'), at('below/a.log.1'));
    await writeFile(at('below/a.log'), 'new\n');
    await eventually(() => source.values.includes('new'));
  });
});

describe('rotation', () => {
  test('a renamed file is read to its end, within the pattern and out of it', async () => {
    await mkdir(at('old'));
    await writeFile(at('a.log'), numbered(0, 3));
    const source = await started();
    await read(source, lines(numbered(0, 3)));
    const writer = await open(at('a.log'), 'a');
    await rename(at('a.log'), at('old/a.log'));
    await writer.appendFile(numbered(3, 6));
    await writeFile(at('a.log'), numbered(6, 9));
    await read(source, lines(numbered(0, 9)));
    await writer.appendFile(numbered(9, 10));
    await read(source, lines(numbered(0, 10)));
    await rename(at('a.log'), at('a.log.1'));
    await appendFile(at('a.log.1'), numbered(10, 12));
    await rename(at('old/a.log'), at('a.log.2'));
    await writer.appendFile(numbered(12, 13));
    await writer.close();
    await read(source, lines(numbered(0, 13)));
  });

  test('five fast rotations while the budget is spent (fluentd#3390, FLUME-3320)', async () => {
    await writeFile(at('a.log'), numbered(0, 10));
    const source = await started();
    await read(source, lines(numbered(0, 10)));
    const giveBack = source.spendBudget();
    for (let rotation = 1; rotation <= 5; rotation++) {
      await appendFile(at('a.log'), numbered(10 * rotation, 10 * rotation + 5));
      for (let old = rotation; old > 1; old--) await rename(at(`a.log.${old - 1}`), at(`a.log.${old}`));
      await rename(at('a.log'), at('a.log.1'));
      await writeFile(at('a.log'), numbered(10 * rotation + 5, 10 * rotation + 10));
    }
    await rest();
    expect(source.count).toBe(10);
    giveBack();
    await read(source, lines(numbered(0, 60)));
  });

  test('copies of three copytruncates, the source stopped during one, are not read again (beats#39731, beats#45300)', async () => {
    const source = await started();
    let next = 0;
    const write = async (count: number): Promise<void> => {
      await appendFile(at('a.log'), numbered(next, next + count));
      next += count;
    };
    for (let rotation = 0; rotation < 3; rotation++) {
      await write(20);
      await read(source, lines(numbered(0, next)));
      const isStopped = rotation === 1;
      if (isStopped) {
        await source.stop();
        await write(5);
      }
      for (let old = rotation; old > 0; old--) await rename(at(`a.log.${old}`), at(`a.log.${old + 1}`));
      await copyFile(at('a.log'), at('a.log.1'));
      await rest(40);
      await truncate(at('a.log'));
      await write(4);
      if (isStopped) await source.start();
      await read(source, lines(numbered(0, next)));
    }
    await rest();
    expect(source.count).toBe(next);
  });

  test.each([
    ['to nothing', numbered(100, 103)],
    ['and written past the old end', numbered(100, 160)],
    ['and written to the same length', numbered(50, 60)],
  ])('a file truncated %s is read from its beginning', async (_, anew) => {
    await writeFile(at('a.log'), numbered(10, 20));
    const source = await started();
    await read(source, lines(numbered(10, 20)));
    await writeFile(at('a.log'), anew);
    await read(source, [...lines(numbered(10, 20)), ...lines(anew)]);
  });

  test('one that was written anew while nobody looked, and holds the same before the position, is known by its first bytes', async () => {
    const same = 'alive\n'.repeat(100);
    await writeFile(at('a.log'), `first\n${same}`);
    const source = await started();
    await read(source, lines(`first\n${same}`));
    await source.stop();
    await writeFile(at('a.log'), `other\n${same}${same}`);
    await source.start();
    await read(source, lines(`first\n${same}other\n${same}${same}`));
  });

  test('the last line of a rotated file needs no line feed', async () => {
    await writeFile(at('a.log'), 'one\ntwo');
    const source = await started({ rotateWaitMs: 50 });
    await read(source, ['one']);
    await rest(150);
    expect(source.values).toEqual(['one']);
    await rename(at('a.log'), at('a.log.1'));
    await read(source, ['one', 'two']);
  });
});

describe('identity', () => {
  test.each([
    ['longer', numbered(50, 60)],
    ['shorter', numbered(50, 51)],
    ['the same', numbered(0, 3)],
  ])(
    'an inode used again by a file that is %s skips and repeats nothing (beats#1341, beats#36541)',
    async (_, other) => {
      // Later than the folder was made by more than the clock of the file system is coarse.
      await rest(20);
      await writeFile(at('a.log'), numbered(0, 3));
      const source = await started();
      await read(source, lines(numbered(0, 3)));
      await source.stop();
      const { ino } = await stat(at('a.log'));
      await rm(at('a.log'));
      // Most file systems give the inode to the next one; where this one does not, it is a new file anyway.
      await writeFile(at('b.log'), other);
      if ((await stat(at('b.log'))).ino !== ino)
        process.stdout.write('this file system does not reuse inodes at once\n');
      await source.start();
      await read(source, [...lines(numbered(0, 3)), ...lines(other)]);
      await rest();
      expect(source.count).toBe(3 + lines(other).length);
    },
  );

  test('hard and symbolic links to one file are one file; a link that is turned leads to another', async () => {
    await mkdir(at('real'));
    await writeFile(at('real/a'), numbered(0, 3));
    await writeFile(at('real/b'), numbered(3, 6));
    await symlink(at('real/a'), at('current.log'));
    await link(at('real/a'), at('hard.log'));
    const source = await started();
    await read(source, lines(numbered(0, 3)));
    await symlink(at('real/b'), at('next.log'));
    await rename(at('next.log'), at('current.log'));
    await read(source, lines(numbered(0, 6)));
    await appendFile(at('real/a'), numbered(6, 7));
    await read(source, lines(numbered(0, 7)));
  });

  test('files that hold the same are both read: at once when it has to end, else when no truncation came', async () => {
    await writeFile(at('a.log'), numbered(0, 3));
    await writeFile(at('b.log'), numbered(0, 3));
    const both = [...lines(numbered(0, 3)), ...lines(numbered(0, 3))];
    const once = await started({}, { once: true });
    await once.ended;
    expect(sorted(once.values)).toEqual(sorted(both));
    const following = await started({ copyWaitMs: 60 });
    await read(following, both);
  });

  test('a file that was moved to another disk and back is known by what it holds', async () => {
    await writeFile(at('a.log'), numbered(0, 100));
    const source = await started();
    await read(source, lines(numbered(0, 100)));
    await source.stop();
    await copyFile(at('a.log'), at('b.log'));
    await rm(at('a.log'));
    await appendFile(at('b.log'), numbered(100, 103));
    await source.start();
    await read(source, lines(numbered(0, 103)));
    await eventually(() => source.positions.size === 1);
  });

  test('a deleted file is read to its end, then closed and forgotten', async () => {
    await writeFile(at('a.log'), numbered(0, 3));
    const source = await started({ closeInactiveMs: 150 });
    await read(source, lines(numbered(0, 3)));
    const writer = await open(at('a.log'), 'a');
    await rm(at('a.log'));
    await writer.appendFile(numbered(3, 6));
    await read(source, lines(numbered(0, 6)));
    await writer.close();
    await eventually(() => source.positions.size === 0);
    expect(source.status).toBe('0 files, following');
  });

  test('a file that was closed while its lines waited is read on (FLUME-3083)', async () => {
    await writeFile(at('a.log'), numbered(0, 3));
    const harness = life.create({ closeInactiveMs: 30 });
    harness.hold();
    await harness.start();
    await rest(150);
    await appendFile(at('a.log'), numbered(3, 6));
    await rest();
    harness.release();
    await read(harness, lines(numbered(0, 6)));
  });
});

describe('limits', () => {
  test('a line beyond the record limit is refused with its position, and the next one flows', async () => {
    await writeFile(at('a.log'), `short\n${'x'.repeat(1025)}\n${'y'.repeat(1024)}\r\nnext\n`);
    const source = await started({}, { maxRecordBytes: 1024 });
    await read(source, ['short', 'y'.repeat(1024), 'next']);
    expect(source.rejected).toMatchObject([{ position: `${at('a.log')}@6`, error: { code: 'RECORD_TOO_LARGE' } }]);
    expect(source.rejected[0]!.value).toHaveLength(1024);
  });

  test('a line of 100 MB takes no memory, also when the source is killed within it', async () => {
    const file = await open(at('a.log'), 'w');
    await file.write('before\n');
    const block = Buffer.alloc(1024 * 1024, 'x');
    for (let written = 0; written < 100; written++) await file.write(block);
    const before = process.memoryUsage().arrayBuffers;
    const source = await started();
    await eventually(() => source.rejected.length === 1);
    await source.kill();
    await source.start();
    await rest();
    await file.write('\nafter\n');
    await file.close();
    await read(source, ['before', 'after']);
    expect(source.rejected).toHaveLength(1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });

  test('a line of the record limit fits, whatever the size of a buffer', async () => {
    const long = 'z'.repeat(1024 * 1024);
    await writeFile(at('a.log'), `a\n${long}\nb\n${long}`);
    const source = await started({}, { once: true });
    await source.ended;
    expect(source.values.map((value) => value.length)).toEqual([1, 1024 * 1024, 1, 1024 * 1024]);
    expect(source.rejected).toEqual([]);
  });

  test('more files than may be open are read in turns', async () => {
    for (let file = 0; file < 1500; file++) await writeFile(at(`${file}.log`), `of ${file}\n`);
    let isOpen = 0;
    let mostOpen = 0;
    const storage: InputStorage = {
      ...nodeStorage,
      async open(path) {
        const opened = await nodeStorage.open(path);
        mostOpen = Math.max(mostOpen, ++isOpen);
        const close = opened.close.bind(opened);
        opened.close = () => {
          isOpen--;
          return close();
        };
        return opened;
      },
    };
    const source = await started({ maxOpenFiles: 16, storage });
    await eventually(() => source.count === 1500, 30_000);
    await appendFile(at('0.log'), 'more\n');
    await eventually(() => source.values.includes('more'));
    await source.stop();
    // A look at a new file, or into one that changed, opens one more.
    expect(mostOpen).toBeLessThanOrEqual(20);
    expect(isOpen).toBe(0);
  }, 40_000);
});

describe('run --once', () => {
  test('reads each file to the size at the start, an unfinished last line included, then ends', async () => {
    await writeFile(at('a.log'), `${numbered(0, 2)}half`);
    await writeFile(at('empty.log'), '');
    const source = await started({}, { once: true });
    await source.ended;
    expect(source.values).toEqual(['line 0', 'line 1', 'half']);
    expect(source.status).toBe('1 file, read');
    await source.stop();
    await appendFile(at('a.log'), 'done\nnew\n');
    await source.start();
    await source.ended;
    expect(source.values).toEqual(['line 0', 'line 1', 'half', 'done', 'new']);
  });

  test('does not run after a writer that never rests', async () => {
    await writeFile(at('a.log'), numbered(0, 3));
    const storage: InputStorage = {
      ...nodeStorage,
      async open(path) {
        await appendFile(path, numbered(3, 6));
        return nodeStorage.open(path);
      },
    };
    const source = await started({ follows: false, storage });
    await source.ended;
    expect(source.values).toEqual(lines(numbered(0, 3)));
  });

  test('ends without files, and with one that cannot be read, which it tells', async () => {
    const source = await started({}, { once: true });
    await source.ended;
    await source.stop();
    await writeFile(at('a.log'), numbered(0, 3));
    await writeFile(at('b.log'), numbered(3, 6));
    const broken = await started({ storage: failing('b.log', 'EIO') }, { once: true });
    await broken.ended;
    expect(broken.values).toEqual(lines(numbered(0, 3)));
    expect(broken.lines.filter(({ level }) => level !== 'info')).not.toEqual([]);
  });
});

describe('where to begin', () => {
  test('start: end leaves out what is there at the first start, and nothing later', async () => {
    await writeFile(at('a.log'), `${numbered(0, 3)}half`);
    const source = await started({ start: 'end' });
    await eventually(() => source.positions.size === 2);
    await source.stop();
    await appendFile(at('a.log'), ' a line\nnext\n');
    await writeFile(at('b.log'), 'of b\n');
    await source.start();
    await read(source, ['half a line', 'next', 'of b']);
  });

  test('start: end in an empty folder is a first start too', async () => {
    const source = await started({ start: 'end' });
    await eventually(() => source.positions.size === 1);
    await source.stop();
    await writeFile(at('a.log'), 'first\n');
    await source.start();
    await read(source, ['first']);
  });

  test('ignore_older leaves out old files until they are written', async () => {
    const longAgo = new Date(Date.now() - 3_600_000);
    await writeFile(at('old.log'), 'old\n');
    await utimes(at('old.log'), longAgo, longAgo);
    await writeFile(at('new.log'), 'new\n');
    const source = await started({ ignoreOlderMs: 60_000 });
    await read(source, ['new']);
    await appendFile(at('old.log'), 'again\n');
    await read(source, ['new', 'old', 'again']);
  });
});

describe('trouble', () => {
  test.each(['EACCES', 'EIO', 'ESTALE', 'EMFILE'])(
    '%s of one file: a warning, the others go on, and so does it',
    async (code) => {
      await writeFile(at('a.log'), numbered(0, 3));
      await writeFile(at('b.log'), numbered(3, 6));
      const storage = failing('b.log', code);
      const source = await started({ storage });
      await read(source, lines(numbered(0, 3)));
      await rest();
      const told = source.lines.filter(({ level }) => level === 'warn');
      expect(told).toMatchObject([{ fields: { path: at('b.log') }, message: 'file not readable' }]);
      expect(source.status).toContain('1 unreadable');
      storage.heal();
      await read(source, lines(numbered(0, 6)));
    },
  );

  test('a folder that vanishes and comes back', async () => {
    await mkdir(at('sub'));
    await writeFile(at('sub/a.log'), numbered(0, 3));
    const source = await started({ include: [join(life.folder, '*', '*.log')] });
    await read(source, lines(numbered(0, 3)));
    await rm(at('sub'), { recursive: true });
    await rest();
    await mkdir(at('sub'));
    await writeFile(at('sub/a.log'), numbered(3, 6));
    await read(source, lines(numbered(0, 6)));
    expect(await readdir(life.folder)).toEqual(['sub']);
  });

  test('a position that nobody understands is told, not passed over', async () => {
    await writeFile(at('a.log'), numbered(0, 3));
    const harness = life.create();
    harness.positions.set('1:2', { something: 'else' });
    await harness.start();
    await read(harness, lines(numbered(0, 3)));
    expect(harness.lines.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { key: '1:2' } }]);
  });
});

/** Files of that name cannot be opened, until they are healed. */
function failing(name: string, code: string): InputStorage & { heal(): void } {
  let isHealed = false;
  return {
    ...nodeStorage,
    heal: () => {
      isHealed = true;
    },
    open(path) {
      if (isHealed || !path.endsWith(name)) return nodeStorage.open(path);
      const error = Object.assign(new Error(`${code}: it does not work, open '${path}'`), { code, syscall: 'open' });
      return Promise.reject(error);
    },
  };
}
