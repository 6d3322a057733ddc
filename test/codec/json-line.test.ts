import fc from 'fast-check';
import { JsonLine } from '../../src/codec/json-line.ts';

/** By vectors, and without them. */
const lines = [new JsonLine(), new JsonLine(null)] as const;

/** Where the fault is, -1 for none; and what became of the bytes. */
function check(value: Buffer | string): { fault: number; bytes: Buffer } {
  const [checked, other] = lines.map((line) => checkBy(line, value));
  expect(other).toEqual(checked);
  return checked!;
}

function checkBy(line: JsonLine, value: Buffer | string): { fault: number; bytes: Buffer } {
  const text = Buffer.from(value);
  // What stands around it must not matter.
  const bytes = Buffer.concat([Buffer.from('"['), text, Buffer.from('\n]"1')]);
  const fault = line.check(bytes, 2, 2 + text.length);
  return { fault, bytes: bytes.subarray(2, 2 + text.length) };
}

function isJson(value: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value));
    return true;
  } catch {
    return false;
  }
}

test.each([
  '0',
  '-0',
  '1.5e+10',
  '1E-2',
  '"\\u00e9\\n\\"\\\\\\/\\b\\f\\r\\t"',
  'true',
  'false',
  'null',
  '[]',
  '{}',
  ' [ 1 , 2 ] ',
  '{"a":{"b":[{}]}}',
  '"é€😀"',
  '\t{"a"\r\n:\n1}\n',
])('%j is JSON', (text) => {
  expect(isJson(Buffer.from(text))).toBe(true);
  const { fault, bytes } = check(text);
  expect(fault).toBe(-1);
  expect(bytes.includes(0x0a)).toBe(false);
  expect(JSON.parse(bytes.toString())).toEqual(JSON.parse(text));
});

test.each([
  '',
  ' ',
  '01',
  '-',
  '1.',
  '.5',
  '1e',
  '1e+',
  '+1',
  'tru',
  'trueish',
  'nul',
  'NaN',
  '"',
  '"a',
  '"\\x"',
  '"\\u12g4"',
  '"\\u12',
  '"\\',
  '"\t"',
  '"a\nb"',
  '[',
  '[1',
  '[1,',
  '[1,]',
  '[,1]',
  '[1 2]',
  ']',
  '{',
  '{"a"',
  '{"a":',
  '{"a":1',
  '{"a":1,',
  '{"a":1,}',
  '{a:1}',
  '{"a" 1}',
  '{,}',
  '{1:2}',
  '[}',
  '{]',
  '[1}',
  '1 2',
  '{}{}',
  "'a'",
  '\u{feff}1',
  '// x\n1',
])('%j is none', (text) => {
  expect(isJson(Buffer.from(text))).toBe(false);
  expect(check(text).fault).toBeGreaterThanOrEqual(0);
});

test.each([
  [[0x80]],
  [[0xc0, 0x80]],
  [[0xc1, 0xbf]],
  [[0xc2]],
  [[0xc2, 0x20]],
  [[0xe0, 0x9f, 0x80]],
  [[0xe2, 0x82]],
  [[0xed, 0xa0, 0x80]],
  [[0xf0, 0x8f, 0x80, 0x80]],
  [[0xf4, 0x90, 0x80, 0x80]],
  [[0xf5, 0x80, 0x80, 0x80]],
  [[0xf0, 0x9f, 0x98]],
  [[0xff]],
])('the bytes %j in a string are no UTF-8', (inside) => {
  expect(check(Buffer.from([0x22, ...inside, 0x22])).fault).toBe(1);
});

test('the depth has no end', () => {
  const depth = 100_000;
  expect(check('['.repeat(depth) + ']'.repeat(depth)).fault).toBe(-1);
  expect(check('['.repeat(depth) + ']'.repeat(depth - 1)).fault).toBe(2 * depth - 1);
});

test('agrees with JSON.parse on JSON, on damaged JSON and on anything', () => {
  const json = fc.oneof(fc.json(), fc.json({ stringUnit: 'binary' }));
  const damaged = fc
    .tuple(json, fc.nat(), fc.nat(255), fc.constantFrom('put', 'insert', 'delete'))
    .map(([text, at, byte, how]) => {
      const bytes = Buffer.from(text);
      const place = at % (bytes.length + 1);
      const inserted = how === 'delete' ? [] : [byte];
      return Buffer.concat([
        bytes.subarray(0, place),
        Buffer.from(inserted),
        bytes.subarray(how === 'insert' ? place : place + 1),
      ]);
    });
  const tokens = fc.array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '1', '-0.5e1', 'null', ' ', '\n'), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(
      fc.oneof(
        json.map((text) => Buffer.from(text)),
        damaged,
        tokens.map((list) => Buffer.from(list.join(''))),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      (bytes) => {
        const { fault, bytes: after } = check(bytes);
        expect(fault === -1).toBe(isJson(bytes));
        if (fault >= 0) return;
        expect(after.includes(0x0a)).toBe(false);
        expect(JSON.parse(after.toString())).toEqual(JSON.parse(bytes.toString()));
      },
    ),
    { numRuns: 5000 },
  );
});
