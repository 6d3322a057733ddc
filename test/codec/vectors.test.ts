import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  defaultCodecLimits,
  FlatObjects,
  JsonObject,
  JsonScanner,
  JsonWriter,
  MsgpackJson,
} from '../../src/codec/index.ts';
import { sharedVectors, Vectors } from '../../src/codec/vectors.ts';

const options = { limits: defaultCodecLimits, invalidText: 'replace' } as const;

test('what is compiled is current; `npm run wasm` makes it so', async () => {
  const root = join(import.meta.dirname, '..', '..');
  // By itself, as the compiler cannot be loaded here.
  const check = promisify(execFile)(process.execPath, [join(root, 'scripts', 'wasm.ts'), '--check']);
  await expect(check).resolves.toMatchObject({ stderr: '' });
}, 60_000);

test('without WebAssembly they are absent, and with it they are not', () => {
  expect(sharedVectors()).toBeInstanceOf(Vectors);
  const { WebAssembly: present } = globalThis as { WebAssembly?: unknown };
  try {
    Object.assign(globalThis, { WebAssembly: undefined });
    jest.isolateModules(() => {
      const { sharedVectors: others } = jest.requireActual<{ sharedVectors: typeof sharedVectors }>(
        '../../src/codec/vectors.ts',
      );
      expect(others()).toBeNull();
    });
  } finally {
    Object.assign(globalThis, { WebAssembly: present });
  }
});

/** As what logs hold: small records, now and then one that is larger than the window, and some that are left to JavaScript. */
const records = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.dictionary(
      fc.string(),
      fc.oneof(fc.string(), fc.double(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })),
    ),
  },
  { weight: 4, arbitrary: fc.integer({ min: 1000, max: 30_000 }).map((length) => ({ long: 'x"'.repeat(length) })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ huge: '\u0001'.repeat(70_000) }, { binary: new Uint8Array([0xff, 0xfe]) }),
  },
);

test('records are the same by vectors and without them, wherever the window ends', () => {
  fc.assert(
    fc.property(fc.array(records, { minLength: 1, maxLength: 40 }), (values) => {
      const parts = values.map((value) => Buffer.from(encode(value, { useBigInt64: true })));
      const bytes = Buffer.concat(parts);
      const [written, expected] = [sharedVectors(), null].map((vectors) => {
        const json = new MsgpackJson(options, vectors);
        json.open(bytes, bytes.length);
        for (let at = 0; at < bytes.length; at = json.at) json.write(at);
        return json.bytes.toString('utf8', 0, json.end);
      });
      expect(written === expected).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('two that take turns do not read from the window of the other', () => {
  const [one, other] = [new MsgpackJson(options), new MsgpackJson(options)];
  const [ones, others] = ['a', 'b'].map((name) => Buffer.from(encode({ [name]: name })));
  one.open(Buffer.concat([ones!, ones!]), 2 * ones!.length);
  other.open(Buffer.concat([others!, others!]), 2 * others!.length);
  for (const json of [one, other, one, other]) json.write(json.at);
  expect(one.bytes.toString('utf8', 0, one.end)).toBe('{"a":"a"}{"a":"a"}');
  expect(other.bytes.toString('utf8', 0, other.end)).toBe('{"b":"b"}{"b":"b"}');
});

test('a text between two records takes the window, and gives it back', () => {
  const bytes = Buffer.from(encode({ a: 1 }));
  const json = new MsgpackJson(options);
  json.open(Buffer.concat([bytes, bytes]), 2 * bytes.length);
  json.write(0);
  new JsonWriter('replace').text(Buffer.alloc(1000, 0xc0), 0, 1000);
  json.write(json.at);
  expect(json.bytes.toString('utf8', 0, json.end)).toBe('{"a":1}{"a":1}');
});

test('records of the usual kinds are not left to JavaScript', () => {
  const values = [
    null,
    true,
    false,
    1,
    -1,
    300,
    -300,
    70_000,
    -70_000,
    2 ** 40,
    0.1,
    1e300,
    NaN,
    'text',
    [],
    {},
    [1],
    { a: { b: 2 } },
  ];
  const bytes = Buffer.from(encode(Object.fromEntries(values.map((value, index) => [`name${index}`, value]))));
  const vectors = new Vectors();
  vectors.load(null, bytes, 0, bytes.length);
  const end = vectors.writeMsgpack(0, bytes.length, defaultCodecLimits);
  expect(JSON.parse(vectors.bytes.toString('utf8', vectors.output, end))).toEqual(
    Object.fromEntries(values.map((value, index) => [`name${index}`, Number.isNaN(value) ? null : value])),
  );
});

/** JSON that is right, with white space, and with a byte changed now and then. */
const jsonTexts = fc
  .tuple(
    fc.jsonValue({ maxDepth: 5 }),
    fc.constantFrom(0, 2),
    fc.option(fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\ \n0.-eEut\u0001x'.split(''))), { freq: 2 }),
  )
  .map(([value, indent, change]) => {
    const bytes = Buffer.from(JSON.stringify(value, null, indent));
    if (change !== null) bytes.write(change[1], change[0] % bytes.length, 'latin1');
    return bytes;
  });

function expectSameWalk(
  bytes: Buffer,
  { at = 0, end = bytes.length, outerDepth = 0, limits = defaultCodecLimits } = {},
): void {
  const [opened, plain] = [new JsonScanner(limits), new JsonScanner(limits, null)];
  opened.open(bytes);
  expect(opened.skipValue(bytes, at, end, outerDepth)).toBe(plain.skipValue(bytes, at, end, outerDepth));
  expect(opened.fault).toEqual(plain.fault);
}

test('JSON is walked as without vectors, wherever it is cut', () => {
  const places = fc.tuple(fc.nat(9), fc.nat(300));
  fc.assert(
    fc.property(jsonTexts, places, (text, [before, cut]) => {
      const bytes = Buffer.concat([Buffer.alloc(before, '9'), text, Buffer.from('9"]}')]);
      expectSameWalk(bytes, { at: before, end: before + text.length });
      expectSameWalk(bytes, { at: before, end: Math.max(before, before + text.length - cut) });
    }),
    { numRuns: 5000 },
  );
});

test('texts with escapes and many bytes a character are walked as without vectors', () => {
  const parts = fc.constantFrom(
    'a',
    '0123456789abcdef',
    'é',
    '語',
    '😀',
    '\\n',
    '\\"',
    '\\u00e9',
    '\\u00g9',
    '\\x',
    '\u0001',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 30 }), (each) => {
      expectSameWalk(Buffer.from(`{"${each.join('')}":"${each.toReversed().join('')}"}`));
    }),
    { numRuns: 3000 },
  );
});

test('depth and names are held to the limits', () => {
  const limits = { maxDepth: 5, maxKeys: 3 };
  for (const depth of [4, 5, 6]) {
    expectSameWalk(Buffer.from('['.repeat(depth) + ']'.repeat(depth)), { limits });
    expectSameWalk(Buffer.from('['.repeat(depth - 2) + ']'.repeat(depth - 2)), { limits, outerDepth: 2 });
  }
  for (const names of ['a', 'aa', 'abc', 'abca', 'abcd'])
    expectSameWalk(
      Buffer.from(
        `{${names
          .split('')
          .map((name) => `"${name}":1`)
          .join()}}`,
      ),
      { limits },
    );
  expectSameWalk(Buffer.from('['.repeat(3000) + ']'.repeat(3000)), { limits: { maxDepth: 4000, maxKeys: 1 } });
});

test('the lines of a body are walked through a window that moves, and others may take it in between', () => {
  const lines = Array.from({ length: 400 }, (_each, index) =>
    JSON.stringify({ index, text: 'x'.repeat((index * 37) % 900) }),
  );
  lines[200] = JSON.stringify({ long: 'y'.repeat(100_000) });
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const [scanner, other] = [new JsonScanner(defaultCodecLimits), new JsonScanner(defaultCodecLimits)];
  scanner.open(bytes);
  const small = Buffer.from('[1]');
  other.open(small);
  let at = 0;
  for (const [index, line] of lines.entries()) {
    if (index % 50 === 0) expect(other.skipValue(small, 0, 3)).toBe(3);
    const end = at + Buffer.byteLength(line);
    expect(scanner.skipValue(bytes, at, end)).toBe(end);
    at = end + 1;
  }
});

test('bytes that were not opened are read anew each time', () => {
  const scanner = new JsonScanner(defaultCodecLimits);
  const bytes = Buffer.from('[1]');
  scanner.open(bytes);
  expect(scanner.skipValue(bytes, 0, 3)).toBe(3);
  scanner.forget();
  bytes.write('{1}');
  expect(scanner.skipValue(bytes, 0, 3)).toBe(-1);
});

const flat = new FlatObjects({ name: 'id', reserved: 0x5f });
const isFlat = (text: string): boolean => {
  const bytes = Buffer.from(`"${text}"`);
  return flat.has(bytes, 1, bytes.length - 1);
};

test.each([
  ['{"a":1}', true],
  ['{ "a" : [ 1 , "x" , null ] , "b" : [] , "a longer name than others" : "\\u00e9" }', true],
  ['{"i":1,"idd":2,"i_d":true}', true],
  ['{}', false],
  ['{"id":1}', false],
  ['{"a":1,"id":2}', false],
  ['{"_a":1}', false],
  ['{"a\\n":1}', false],
  ['{"a longer name than others\\"":1}', false],
  ['{"a":{}}', false],
  ['{"a":[{}]}', false],
  ['{"a":[[]]}', false],
  ['[1]', false],
  [' {"a":1}', false],
  ['{"a":1} ', false],
  ['{"a":1}}', false],
])('%s is taken as it stands: %s', (text, expected) => {
  expect(isFlat(text)).toBe(expected);
});

test('no object is taken as it stands that a careful reader would not take so', () => {
  const object = new JsonObject({ maxDepth: 64 });
  const names = fc.constantFrom('a', 'id', '_b', 'c\\', 'd"', 'name', 'é');
  const values = fc.oneof(
    fc.string(),
    fc.double(),
    fc.constantFrom(null, true),
    fc.array(fc.oneof(fc.nat(9), fc.constant([])), { maxLength: 2 }),
    fc.constant({}),
  );
  const changes = fc.option(fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\ _0'.split(''))), { freq: 2 });
  let taken = 0;
  fc.assert(
    fc.property(fc.dictionary(names, values, { maxKeys: 4 }), changes, (value, change) => {
      const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
      if (change !== null) bytes.write(change[1], change[0] % (bytes.length - 1), 'latin1');
      const end = bytes.length - 1;
      if (!flat.has(bytes, 0, end)) return;
      taken++;
      expect(object.read(bytes, 0, end)).toBe(-1);
      expect(bytes.subarray(0, end).toString()).toMatch(/^\{.*\}$/s);
      const members = [...Array(object.count).keys()];
      expect(members.filter((member) => /^(id|_.*)$/.test(object.name(member)))).toEqual([]);
      expect([object.count > 0, object.hasNested, object.hasEscapedName]).toEqual([true, false, false]);
    }),
    { numRuns: 3000 },
  );
  expect(taken).toBeGreaterThan(100);
});

test('numbers are written as JSON.stringify writes them', () => {
  const numbers = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc
      .tuple(fc.maxSafeInteger(), fc.nat(16), fc.nat(12))
      .map(([digits, fewer, decimals]) => Math.trunc(digits / 10 ** fewer) / 10 ** decimals),
    fc.constantFrom(1e9, 1e9 + 0.5, 999_999_999.999999, 0.000001, 0.0000015, 9.5e-7, 5e-324, 2 ** 53, 1e21),
  );
  const json = new MsgpackJson(options);
  fc.assert(
    fc.property(numbers, (value) => {
      const bytes = Buffer.alloc(9, 0xcb);
      bytes.writeDoubleBE(value, 1);
      json.reset();
      json.open(bytes, bytes.length);
      json.write(0);
      expect(json.bytes.toString('utf8', 0, json.end)).toBe(JSON.stringify(value));
    }),
    { numRuns: 20_000 },
  );
});
