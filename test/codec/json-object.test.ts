import fc from 'fast-check';
import { JsonObject } from '../../src/codec/index.ts';

const object = new JsonObject({ maxDepth: 32 });

function read(text: string): { fault: number; members: [string, string, string][] } {
  const bytes = Buffer.from(`ab${text}\n`);
  const fault = object.read(bytes, 2, bytes.length - 1);
  const members = Array.from({ length: object.count }, (_, member): [string, string, string] => [
    object.name(member),
    bytes.toString('utf8', object.valueStart(member), object.valueEnd(member)),
    object.kind(member),
  ]);
  return { fault, members };
}

test('where members lie, and what they hold', () => {
  expect(read(' { "a" : 1.50 ,"b":"x\\"}","c":[1,[]],"d":[ ],"e":{"f":{}},"g":[1,"{"],"a":null } ')).toEqual({
    fault: -1,
    members: [
      ['a', '1.50', 'scalar'],
      ['b', '"x\\"}"', 'scalar'],
      ['c', '[1,[]]', 'objects'],
      ['d', '[ ]', 'array'],
      ['e', '{"f":{}}', 'object'],
      ['g', '[1,"{"]', 'array'],
      ['a', 'null', 'scalar'],
    ],
  });
  expect(object.hasNested).toBe(true);
  expect(read('{}')).toEqual({ fault: -1, members: [] });
  expect([object.hasNested, object.hasEscapedName]).toEqual([false, false]);
  expect(read('{"\\u0061":1}').members).toEqual([['a', '1', 'scalar']]);
  expect([object.hasEscapedName, object.isNamed(0, Buffer.from('a'))]).toEqual([true, false]);
});

test.each([
  '',
  '[]',
  '1',
  '{',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,}',
  '{"a":1}}',
  '{"a":[1}',
  '{"a":{"b"}}',
  '{"a":tru}',
  '{"a":1}x',
  '{"a":"\u0001"}',
  '{a:1}',
])('%j is refused', (text) => {
  const { fault } = read(text);
  expect(fault).toBeGreaterThanOrEqual(0);
  expect(fault).toBeLessThanOrEqual(Buffer.byteLength(text));
});

test('depth has a limit', () => {
  const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  expect(read(nested(31)).fault).toBe(-1);
  expect(read(nested(32)).fault).toBeGreaterThan(0);
});

test('it takes what JSON.parse takes for an object, and sees the same members', () => {
  const texts = fc.oneof(
    fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })).map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '1', '-', '.', 'e', ' ', 't', 'null', '\\') }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const parsed = objectOf(text);
      const { fault, members } = read(text);
      expect(fault === -1).toBe(parsed !== null);
      if (parsed !== null) expect(new Set(members.map(([name]) => name))).toEqual(new Set(Object.keys(parsed)));
      for (const [name, value] of parsed === null ? [] : members.slice(-1))
        expect(JSON.parse(value)).toEqual(Object.getOwnPropertyDescriptor(parsed, name)!.value);
    }),
    { numRuns: 2000 },
  );
});

function objectOf(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
