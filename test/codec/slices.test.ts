import fc from 'fast-check';
import {
  defaultCodecLimits,
  JsonScanner,
  jsonLineSlices,
  jsonSlices,
  lineSlices,
  type CodecFault,
  type RecordSlices,
} from '../../src/codec/index.ts';

const limits = { scanner: new JsonScanner(defaultCodecLimits), maxRecordBytes: 1024 };

interface Walked {
  readonly records: readonly string[];
  readonly fault: CodecFault | null;
}

function walk(slicesOf: (bytes: Buffer, with_: typeof limits) => RecordSlices, text: string | Buffer): Walked {
  const bytes = Buffer.from(text);
  const slices = slicesOf(bytes, limits);
  const records: string[] = [];
  while (slices.next()) {
    records.push(bytes.toString('utf8', slices.start, slices.end));
  }
  expect(slices.next()).toBe(false);
  return { records, fault: slices.fault };
}

const space = fc.constantFrom('', ' ', '\n', '\t\r\n ');

test('the elements of an array come out byte for byte', () => {
  fc.assert(
    fc.property(fc.array(fc.json({ maxDepth: 4 }).filter((text) => text.length < 1000)), space, (values, blank) => {
      const text = `${blank}[${blank}${values.join(`${blank},${blank}`)}${blank}]${blank}`;
      expect(walk(jsonSlices, text)).toEqual({ records: values, fault: null });
    }),
  );
});

test('a value that is no array is the one record', () => {
  for (const value of ['{"a":[1,2]}', '"text"', '12', 'null', '0']) {
    expect(walk(jsonSlices, ` ${value}\n`)).toEqual({ records: [value], fault: null });
  }
});

test.each([
  ['[1,]', 3],
  ['[,1]', 1],
  ['[1 2]', 3],
  ['[1', 2],
  ['[', 1],
  ['[1]]', 3],
  ['[{"a":1},{"b":}]', 14],
  ['{"a":1} x', 8],
  ['', 0],
])('%j is refused at byte %i', (text, at) => {
  expect(walk(jsonSlices, text).fault).toMatchObject({ code: 'DECODE_INVALID', at });
});

test('JSON lines come out byte for byte, empty lines apart', () => {
  const line = fc.json().filter((text) => text.length < 1000);
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.boolean(), (values, lineEnd, isEnded) => {
      const text = values.join(lineEnd + lineEnd) + (isEnded ? lineEnd : '');
      expect(walk(jsonLineSlices, text)).toEqual({ records: values, fault: null });
    }),
  );
});

test('a JSON line that is none, two on a line, and one over two lines are refused with their place', () => {
  const bad = jsonLineSlices(Buffer.from('1\n\n{"a"\n'), limits);
  expect(bad.next()).toBe(true);
  expect(bad.next()).toBe(false);
  expect(bad.fault).toEqual({ code: 'DECODE_INVALID', at: 7, reason: 'expected a colon, found the end' });
  expect(walk(jsonLineSlices, '1 2\n').fault).toMatchObject({ at: 2 });
  expect(walk(jsonLineSlices, '{\n"a":1}\n').fault).toMatchObject({ at: 1 });
});

test('lines of text are anything between line feeds', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n]/g, ' '))), (lines) => {
      const text = lines.map((line) => `${line}\n`).join('');
      expect(walk(lineSlices, text).records).toEqual(lines);
    }),
  );
  expect(walk(lineSlices, 'a\r\n\nb').records).toEqual(['a', '', 'b']);
});

test('lines of text need not be UTF-8', () => {
  const slices = lineSlices(Buffer.from([0xff, 0x0a]), limits);
  expect(slices.next()).toBe(true);
  expect([slices.start, slices.end]).toEqual([0, 1]);
});

test('JSON that is no UTF-8 is refused before its first record', () => {
  const bytes = Buffer.concat([Buffer.from('1\n"'), Buffer.from([0xff]), Buffer.from('"\n')]);
  for (const slicesOf of [jsonLineSlices, jsonSlices]) {
    expect(walk(slicesOf, bytes)).toMatchObject({ records: [], fault: { code: 'DECODE_INVALID', at: 3 } });
  }
});

test.each([
  ['a string', `"${'x'.repeat(1022)}"`, `"${'x'.repeat(1023)}"`],
  ['a number', '1'.repeat(1024), '1'.repeat(1025)],
  ['an object', `{"a":"${'x'.repeat(1016)}"}`, `{"a":"${'x'.repeat(1017)}"}`],
])('%s of the record limit passes and one byte more is too large', (_name, fits, isTooLarge) => {
  expect(fits).toHaveLength(1024);
  for (const [slicesOf, around] of [
    [jsonSlices, ['', '']],
    [jsonSlices, ['[1,', ',1]']],
    [jsonLineSlices, ['1\n', '\n1\n']],
  ] as const) {
    expect(walk(slicesOf, around.join(fits)).fault).toBeNull();
    expect(walk(slicesOf, around.join(isTooLarge)).fault).toMatchObject({
      code: 'RECORD_TOO_LARGE',
      at: around[0].length,
    });
  }
});

test('a line of text above the record limit is too large', () => {
  expect(walk(lineSlices, 'x'.repeat(1024)).fault).toBeNull();
  expect(walk(lineSlices, `a\n${'x'.repeat(1025)}\n`).fault).toMatchObject({ code: 'RECORD_TOO_LARGE', at: 2 });
});

test('the array around records counts as a level', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
  expect(walk(jsonSlices, nested(64)).records).toEqual([nested(63)]);
  expect(walk(jsonSlices, nested(65)).fault).toMatchObject({ code: 'DECODE_DEPTH', at: 64 });
});
