import fc from 'fast-check';
import { decoderFor, JsonFields } from '../../src/codec/index.ts';
import { anyBytes, jsonDocument } from './support/json-documents.ts';

const paths = [['status'], ['a', 'b'], ['b'], ['é', 'a'], ['list'], ['a', 'a', 'a']] as const;

const fields = new JsonFields(paths);
const decode = decoderFor('json');

/** Among bytes that would go on with any token. */
function read(bytes: Buffer, reader = fields): object | null {
  const around = Buffer.concat([Buffer.from('{"'), bytes, Buffer.from('1"}é')]);
  return reader.read(around, 2, 2 + bytes.length);
}

/** What there is at a path, or that nothing is; a container in which only members are looked for is there. */
function standsAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return 'nothing is there';
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

test('what is read is what a decoder finds there, and what a decoder refuses is never read', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const found = read(bytes);
      if (found === null) return;
      // Throws when it is no JSON.
      const value = decode(bytes);
      for (const path of paths) expect(standsAt(found, path)).toEqual(standsAt(value, path));
    }),
    { numRuns: 5000 },
  );
});

test('plain documents are read without a decoder', () => {
  const isPlain = (text: string): boolean => !/\\u0061|constructor/.test(text) && !/("[^"]*").*\1/s.test(text);
  fc.assert(
    fc.property(jsonDocument.filter(isPlain), (text) => {
      expect(read(Buffer.from(text))).not.toBeNull();
    }),
  );
});

test.each([
  ['a name that comes twice', '{"a":{"b":1},"b":2,"a":{}}'],
  ['an escape in a name', '{"\\u0061":{"b":1}}'],
  ['a name by which objects are told apart', '{"constructor":1,"b":2}'],
  ['what is no object', '[{"b":1}]'],
  ['nothing', ' '],
])('%s is left to the decoder', (_what, text) => {
  expect(read(Buffer.from(text))).toBeNull();
});

test('such names do not matter where nobody looks', () => {
  const text = '{"x":{"a":1,"a":2,"\\u0061":3,"constructor":4},"status":[{"constructor":1}]}';
  expect(read(Buffer.from(text))).toEqual({ status: [{ constructor: 1 }] });
});

test('the limits are those of the decoder', () => {
  const limits = { maxDepth: 3, maxKeys: 4 };
  const limited = new JsonFields([['a']], limits);
  expect(read(Buffer.from('{"a":[[1]]}'), limited)).toEqual({ a: [[1]] });
  expect(read(Buffer.from('{"a":[[[1]]]}'), limited)).toBeNull();
  expect(read(Buffer.from('{"x":[{"b":1,"c":2,"d":3}]}'), limited)).toEqual({});
  expect(read(Buffer.from('{"x":[{"b":1,"c":2,"d":3,"e":4}]}'), limited)).toBeNull();
});
