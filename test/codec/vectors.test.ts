import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { defaultCodecLimits, JsonWriter, MsgpackJson } from '../../src/codec/index.ts';
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
