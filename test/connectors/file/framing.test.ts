import { appendFile, open, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceHarness, SourceHarnessOptions } from '../../../src/testing/index.ts';
import { fileLife } from './support/life.ts';
import { eventually, fileSourceHarness, temporaryFolder, type SourceSettings } from './support/source.ts';

const life = fileLife();
const { at } = life;

type Framing = NonNullable<SourceSettings['framing']>;
type Limits = Partial<SourceHarnessOptions>;

function started(framing: Framing, options: Limits = {}, settings: SourceSettings = {}): Promise<SourceHarness> {
  return life.started({ framing, ...settings }, options);
}

/** Reads everything to its end, and ends. */
async function readOnce(framing: Framing, options: Limits = {}): Promise<SourceHarness> {
  const source = await started(framing, { once: true, ...options });
  await source.ended;
  await source.stop();
  return source;
}

async function rest(ms = 80): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

const headersOf = (source: SourceHarness): Record<string, string>[] =>
  source.records.map(({ headers }) =>
    Object.fromEntries([...headers].map(([name, value]) => [name, Buffer.from(value!).toString()])),
  );

const refusals = (source: SourceHarness): [string, string, number][] =>
  source.rejected.map(({ position, error, value }) => [position, error.code, value!.length]);

/** With a length before it. */
function counted(text: string | Buffer, { bytes = 4, isBigEndian = true } = {}): Buffer {
  const value = Buffer.from(text as string);
  const length = Buffer.alloc(bytes);
  if (isBigEndian) length.writeUIntBE(value.length, 0, bytes);
  else length.writeUIntLE(value.length, 0, bytes);
  return Buffer.concat([length, value]);
}

describe('framing: nul', () => {
  test('values may hold line feeds; an unfinished one waits, over a kill too', async () => {
    await writeFile(at('a'), 'one\r\n\0\0two\nlines\0hal');
    const source = await started({ framing: 'nul' });
    await eventually(() => source.count === 3);
    await source.kill();
    await source.start();
    await appendFile(at('a'), 'f\0');
    await eventually(() => source.count === 4);
    expect(source.values).toEqual(['one\r\n', '', 'two\nlines', 'half']);
  });
});

describe('framing: length', () => {
  test.each([
    { bytes: 4, isBigEndian: true },
    { bytes: 4, isBigEndian: false },
    { bytes: 2, isBigEndian: true },
    { bytes: 1, isBigEndian: true },
  ] as const)('%j, in pieces of any size', async (how) => {
    const values = ['a', '', 'line\nfeed\0', 'x'.repeat(200)];
    const bytes = Buffer.concat(values.map((value) => counted(value, how)));
    await writeFile(at('a'), '');
    const byteOrder = how.isBigEndian ? 'big' : 'little';
    const source = await started({ framing: 'length', lengthBytes: how.bytes, byteOrder });
    for (let from = 0; from < bytes.length; from += 7) {
      await appendFile(at('a'), bytes.subarray(from, from + 7));
      await rest(12);
    }
    await eventually(() => source.count === values.length);
    expect(source.values).toEqual(values);
  });

  test('records across the edges of blocks, more than a buffer holds', async () => {
    const values = Array.from({ length: 900 }, (_, number) => `${number}:`.padEnd(1 + ((number * 7919) % 3000), 'é'));
    await writeFile(at('a'), Buffer.concat(values.map((value) => counted(value))));
    expect((await readOnce({ framing: 'length' })).values).toEqual(values);
  });

  test('a length beyond the limit is a dead letter at once, and its bytes are passed over, also over a kill', async () => {
    await writeFile(at('a'), Buffer.concat([counted('one'), counted('y'.repeat(5000)).subarray(0, 900)]));
    const source = await started({ framing: 'length' }, { maxRecordBytes: 1024 });
    await eventually(() => source.rejected.length === 1);
    await appendFile(at('a'), 'y'.repeat(2000));
    await rest();
    await source.kill();
    await appendFile(at('a'), Buffer.concat([Buffer.alloc(5004 - 2900, 'y'), counted('two')]));
    await source.start();
    await eventually(() => source.count === 2);
    expect(source.values).toEqual(['one', 'two']);
    expect(refusals(source)).toEqual([[`${at('a')}@7`, 'RECORD_TOO_LARGE', 896]]);
  });

  test('a file that ends within a record has a torn one, which is refused and told', async () => {
    await writeFile(at('a'), Buffer.concat([counted('one'), counted('two').subarray(0, 5)]));
    const source = await readOnce({ framing: 'length' });
    expect(source.values).toEqual(['one']);
    expect(refusals(source)).toEqual([[`${at('a')}@7`, 'DECODE_INVALID', 5]]);
  });

  test('start: end begins behind the last whole record', async () => {
    await writeFile(at('a'), Buffer.concat([counted('one'), counted('two').subarray(0, 5)]));
    const source = await started({ framing: 'length' }, {}, { start: 'end' });
    await eventually(() => source.positions.size === 2);
    await appendFile(at('a'), counted('two').subarray(5));
    await eventually(() => source.count === 1);
    expect(source.values).toEqual(['two']);
  });
});

describe('framing: file', () => {
  test('a file is a record once it was not written for so long; what comes later is another one', async () => {
    await writeFile(at('a'), 'one\ntw');
    const source = await started({ framing: 'file', completeAfterMs: 150 });
    await rest(60);
    await appendFile(at('a'), 'o\n');
    await rest(60);
    expect(source.count).toBe(0);
    await eventually(() => source.count === 1);
    await source.kill();
    await source.start();
    await appendFile(at('a'), 'late');
    await eventually(() => source.count === 2);
    expect(source.values).toEqual(['one\ntwo\n', 'late']);
  });

  test('one that was moved here was written before it was seen, so it is complete', async () => {
    const elsewhere = await temporaryFolder();
    await writeFile(join(elsewhere, 'a'), 'whole');
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(elsewhere, 'a'), longAgo, longAgo);
    const source = await started({ framing: 'file', completeAfterMs: 600_000 });
    await rename(join(elsewhere, 'a'), at('a'));
    await eventually(() => source.count === 1);
    expect(source.values).toEqual(['whole']);
    await rm(elsewhere, { recursive: true });
  });

  test('one that is written anew in its place is a record again, and one that goes on where another ended is whole', async () => {
    const text = 'x'.repeat(400);
    await writeFile(at('a'), text);
    const source = await started({ framing: 'file', completeAfterMs: 50 });
    await eventually(() => source.count === 1);
    await writeFile(at('a'), `${text.slice(1)}z`);
    await eventually(() => source.count === 2);
    await source.stop();
    await rm(at('a'));
    await writeFile(at('b'), `${text.slice(1)}z and more`);
    await source.start();
    await eventually(() => source.count === 3);
    expect(source.values).toEqual([text, `${text.slice(1)}z`, `${text.slice(1)}z and more`]);
  });

  test('once: all files as they are, each in a record, those beyond the limit refused', async () => {
    await writeFile(at('a'), 'a\n\0\n');
    await writeFile(at('b'), 'b'.repeat(700_000));
    await writeFile(at('c'), 'c'.repeat(3_000_000));
    await writeFile(at('empty'), '');
    const source = await readOnce({ framing: 'file' });
    expect(source.values).toEqual(['a\n\0\n', 'b'.repeat(700_000)]);
    expect(refusals(source)).toEqual([[`${at('c')}@0`, 'RECORD_TOO_LARGE', 1024 * 1024]]);
    const again = fileSourceHarness(life.folder, { framing: { framing: 'file' } }, { once: true });
    for (const [key, position] of source.positions) again.positions.set(key, position);
    await again.start();
    await again.ended;
    expect(again.count + again.rejected.length).toBe(0);
  });
});

describe('encoding', () => {
  const texts = ['plain', 'Grüße', '日本語', '😀 pair', '', 'last \u{10ffff}'];
  const text = `${texts.join('\r\n')}\r\n`;
  const swapped = (bytes: Buffer): Buffer => Buffer.from(bytes).swap16();
  const utf16 = Buffer.from(text, 'utf16le');

  test.each([
    ['utf-16le', utf16],
    ['utf-16be', swapped(utf16)],
    ['utf-16le', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['utf-16be', swapped(Buffer.from(`\ufeff${text}`, 'utf16le'))],
    // The mark says otherwise.
    ['utf-16le', swapped(Buffer.from(`\ufeff${text}`, 'utf16le'))],
    ['utf-8', Buffer.from(`\ufeff${text}`)],
  ] as const)('%s as UTF-8 (%#), byte by byte, and killed in between', async (encoding, bytes) => {
    await writeFile(at('a'), '');
    const source = await started({ encoding });
    for (let from = 0; from < bytes.length; from += 3) {
      await appendFile(at('a'), bytes.subarray(from, from + 3));
      if (from % 15 === 0) await rest(12);
      if (from % 45 !== 0) continue;
      await source.kill();
      await source.start();
    }
    await eventually(() => source.count === texts.length);
    expect(source.values).toEqual(texts);
    expect([...source.positions.values()]).toMatchObject([{ offset: bytes.length }]);
  });

  test('latin1, and raw, which keeps the mark', async () => {
    await writeFile(at('a'), Buffer.from('caf\xe9 \xff\x80\n', 'latin1'));
    expect((await readOnce({ encoding: 'latin1' })).values).toEqual(['café ÿ\u0080']);
    await writeFile(at('a'), Buffer.from([0xef, 0xbb, 0xbf, 0xe9, 0x0a]));
    expect((await readOnce({ encoding: 'raw' })).records[0]!.value!.toString('hex')).toBe('efbbbfe9');
    expect((await readOnce({ encoding: 'utf-8' })).records[0]!.value!.toString('hex')).toBe('e9');
  });

  test('halves of pairs and of units become U+FFFD; a line feed is a whole unit at its place', async () => {
    const lines = ['\ud800a', 'b\udc00', '\u0a0a\u0a00\u000a'];
    await writeFile(at('a'), Buffer.concat([Buffer.from(lines.join('\n'), 'utf16le'), Buffer.from([0x41])]));
    const source = await readOnce({ encoding: 'utf-16le' });
    expect(source.values).toEqual(['\ufffda', 'b\ufffd', '\u0a0a\u0a00', '\ufffd']);
  });

  test('text across the edges of blocks, in lines up to the limit', async () => {
    const values = Array.from({ length: 700 }, (_, number) => `${number}:${'😀é語'.repeat((number * 7919) % 500)}`);
    values.push('x'.repeat(1024 * 1024), '語'.repeat(349_525), 'after');
    await writeFile(at('a'), Buffer.from(`\ufeff${values.join('\n')}`, 'utf16le'));
    const source = await readOnce({ encoding: 'utf-16be' });
    expect(source.rejected).toEqual([]);
    expect(source.values.map((value, index) => value === values[index])).toEqual(values.map(() => true));
  });

  test('a line that the new encoding makes too long is refused', async () => {
    await writeFile(at('a'), Buffer.from(`${'é'.repeat(513)}\n${'é'.repeat(512)}\n`, 'latin1'));
    const source = await readOnce({ encoding: 'latin1' }, { maxRecordBytes: 1024 });
    expect(source.values).toEqual(['é'.repeat(512)]);
    expect(refusals(source)).toEqual([[`${at('a')}@0`, 'RECORD_TOO_LARGE', 1024]]);
  });
});

describe('on_long_line', () => {
  const lines = ['short', 'é'.repeat(20), `${'x'.repeat(9)}é and more`, 'y'.repeat(10), 'next'];
  const cut = ['short', 'é'.repeat(5), 'x'.repeat(9), 'y'.repeat(10), 'next'];

  test.each([
    ['utf-8', 'utf8'],
    ['utf-16le', 'utf16le'],
  ] as const)('truncate cuts between characters and says so (%s)', async (encoding, node) => {
    await writeFile(at('a'), Buffer.from(`${lines.join('\r\n')}\r\n`, node));
    const source = await readOnce({ encoding, onLongLine: 'truncate', maxLineBytes: 10 });
    expect(source.values).toEqual(cut);
    expect(headersOf(source)).toEqual([{}, ...Array<unknown>(2).fill({ 'file.truncated': 'true' }), {}, {}]);
    expect(source.rejected).toEqual([]);
  });

  test('skip leaves them out with a warning', async () => {
    await writeFile(at('a'), `${lines.join('\n')}\n`);
    const source = await readOnce({ onLongLine: 'skip', maxLineBytes: 10 });
    expect(source.values).toEqual(['short', 'y'.repeat(10), 'next']);
    expect(source.rejected).toEqual([]);
    expect(source.lines.filter(({ level }) => level === 'warn')).toMatchObject([{ fields: { path: at('a') } }]);
  });

  test('dead_letter refuses what is longer than max_line', async () => {
    await writeFile(at('a'), `${lines.join('\n')}\n`);
    const source = await readOnce({ maxLineBytes: 10 });
    expect(source.values).toEqual(['short', 'y'.repeat(10), 'next']);
    expect(refusals(source)).toEqual([
      [`${at('a')}@6`, 'RECORD_TOO_LARGE', 10],
      [`${at('a')}@47`, 'RECORD_TOO_LARGE', 10],
    ]);
  });

  test('a copy that is read on within a long line passes over its rest as well', async () => {
    const beginning = `${'first'.repeat(60)}\n${'x'.repeat(600)}`;
    await writeFile(at('a.log'), beginning);
    const source = await started({ maxLineBytes: 500 });
    await eventually(() => source.rejected.length === 1);
    await source.stop();
    await writeFile(at('a.log.1'), `${beginning}rest\nnext\n`);
    await writeFile(at('a.log'), 'new\n');
    await source.start();
    await eventually(() => source.count === 3);
    await rest();
    expect([...source.values].sort()).toEqual(['first'.repeat(60), 'new', 'next']);
    expect(source.rejected).toHaveLength(1);
  });

  test.each([
    ['dead_letter', 'utf-8'],
    ['truncate', 'utf-8'],
    ['skip', 'utf-8'],
    ['truncate', 'utf-16le'],
  ] as const)(
    'a line of 100 MB takes no memory: %s, %s, and killed within it',
    async (onLongLine, encoding) => {
      const node = encoding === 'utf-8' ? 'utf8' : 'utf16le';
      const file = await open(at('a'), 'w');
      await file.write(Buffer.from('before\n', node));
      const block = Buffer.from('x'.repeat(1024 * 1024), node);
      for (let written = 0; written < 100; written += block.length / (1024 * 1024)) await file.write(block);
      // Half a unit of UTF-16, where the reader is killed.
      if (node === 'utf16le') await file.write(Buffer.from('x', node).subarray(0, 1));
      const before = process.memoryUsage().arrayBuffers;
      const source = await started({ onLongLine, encoding });
      await eventually(() => source.positions.size === 1);
      await rest(200);
      await source.kill();
      await source.start();
      await rest();
      if (node === 'utf16le') await file.write(Buffer.from('x', node).subarray(1));
      await file.write(Buffer.from('\nafter\n', node));
      await file.close();
      await eventually(() => source.values.includes('after'));
      const values = source.values.map((value) => (value.length > 10 ? value.length : value));
      const isCut = onLongLine === 'truncate';
      expect(values).toEqual(['before', ...(isCut ? [1024 * 1024 - TRUNCATED_ROOM] : []), 'after']);
      expect(source.rejected).toHaveLength(onLongLine === 'dead_letter' ? 1 : 0);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    },
    60_000,
  );
});

/** What the header takes of the record limit. */
const TRUNCATED_ROOM = 28;

describe('headers', () => {
  test('fields of the path, and where a record stood', async () => {
    await writeFile(at('shop-eu.log'), 'one\n\ntwo\n');
    const source = await started({
      pathFields: join(life.folder, '{service}-{region}.log'),
      addHeaders: ['path', 'offset', 'inode'],
    });
    await eventually(() => source.count === 3);
    const [key] = [...source.positions.keys()];
    const shared = { service: 'shop', region: 'eu', 'file.path': at('shop-eu.log'), 'file.inode': key!.split(':')[1] };
    expect(headersOf(source)).toEqual(['0', '4', '5'].map((offset) => ({ ...shared, 'file.offset': offset })));
  });

  test('encoding_error: what is no UTF-8 says so, and its bytes stay; what is, and a character across two blocks, does not', async () => {
    const long = `${'語'.repeat(100_000)}\n`;
    const wrong = Buffer.from([0x61, 0xff, 0xfe, 0x0a, 0xed, 0xa0, 0x80, 0x0a]);
    await writeFile(at('a'), Buffer.concat([Buffer.from(`right\n${long}`), wrong, Buffer.from(`日本\n${long}`)]));
    const source = await readOnce({ addHeaders: ['encoding_error'] });
    const headers = headersOf(source);
    const told = source.records.map(({ value }, index) => [value!.toString('hex').slice(0, 12), headers[index]]);
    expect(told).toEqual([
      [Buffer.from('right').toString('hex'), {}],
      [Buffer.from('語語').toString('hex'), {}],
      ['61fffe', { 'file.encoding_error': 'true' }],
      ['eda080', { 'file.encoding_error': 'true' }],
      [Buffer.from('日本').toString('hex'), {}],
      [Buffer.from('語語').toString('hex'), {}],
    ]);
  });

  test('encoding_error of an event is about all of its lines, and of other encodings there is none', async () => {
    await writeFile(at('a'), Buffer.from([0x61, 0x0a, 0x20, 0xff, 0x0a, 0x62, 0x0a]));
    const patterns = { continue: '^ ', negate: false };
    const multiline = { preset: null, maxLines: 10, maxBytes: Infinity, timeoutMs: 60_000, patterns };
    const events = await readOnce({ addHeaders: ['encoding_error'], multiline });
    expect(headersOf(events)).toEqual([{ 'file.encoding_error': 'true' }, {}]);
    const latin1 = await readOnce({ addHeaders: ['encoding_error'], encoding: 'latin1' });
    expect(headersOf(latin1)).toEqual([{}, {}, {}]);
  });

  test('of a renamed file they are of its name when it was read; a path unlike the pattern gives none', async () => {
    await writeFile(at('shop.log'), 'one\n');
    const source = await started({ pathFields: join(life.folder, '{service}.log'), addHeaders: ['path'] });
    await eventually(() => source.count === 1);
    await rename(at('shop.log'), at('shop.log.1'));
    await appendFile(at('shop.log.1'), 'two\n');
    await eventually(() => source.count === 2);
    expect(headersOf(source)).toEqual([
      { service: 'shop', 'file.path': at('shop.log') },
      { 'file.path': at('shop.log.1') },
    ]);
  });

  test('a record of the limit with its headers is refused, not thrown', async () => {
    await writeFile(at('a'), `${'x'.repeat(1024)}\nnext\n`);
    const source = await readOnce({ addHeaders: ['path'] }, { maxRecordBytes: 1024 });
    expect(source.values).toEqual(['next']);
    expect(source.rejected).toHaveLength(1);
  });
});
