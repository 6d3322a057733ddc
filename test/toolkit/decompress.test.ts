import { constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { realClock } from '../../src/telemetry/index.ts';
import { ByteBudget, contentCoding, Inflater, type HeldBody } from '../../src/toolkit/index.ts';

const MEBIBYTE = 1024 * 1024;
// Bombs take long to make where much else runs.
jest.setTimeout(60_000);

function inflater(options: { maxBytes?: number; budgetBytes?: number } = {}): {
  inflater: Inflater;
  budget: ByteBudget;
} {
  const budget = new ByteBudget(options.budgetBytes ?? 512 * MEBIBYTE);
  return { budget, inflater: new Inflater({ maxBytes: options.maxBytes ?? 64 * MEBIBYTE, budget, clock: realClock }) };
}

function held(bytes: Buffer): HeldBody & { isReleased: boolean } {
  const body = {
    bytes,
    isReleased: false,
    release: () => {
      body.isReleased = true;
    },
  };
  return body;
}

test.each([
  [undefined, 'identity'],
  ['', 'identity'],
  ['identity', 'identity'],
  [' GZIP ', 'gzip'],
  ['x-gzip', 'gzip'],
  ['zstd', 'zstd'],
])('Content-Encoding %j is %s', (header, coding) => {
  expect(contentCoding(header)).toBe(coding);
});

test.each(['br', 'deflate', 'gzip, gzip', 'gzip,zstd', 'compress', 'gzip;q=1'])('%s gets 415', (header) => {
  expect(() => contentCoding(header)).toThrow(expect.objectContaining({ status: 415 }) as Error);
});

const codings = [
  ['gzip', gzipSync],
  // Unlike gzip it checks its content only when told to.
  ['zstd', (bytes: Buffer | string) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
] as const;

describe.each(codings)('%s', (coding, compress) => {
  test.each([0, 1, 65_536, 3 * MEBIBYTE])('unpacks %i bytes and gives their memory back', async (length) => {
    const { inflater: unpack, budget } = inflater();
    const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * index) >>> 8));
    const body = held(compress(bytes));
    const inflated = await unpack.inflate(body, coding);
    expect(inflated.bytes.equals(bytes)).toBe(true);
    expect([body.isReleased, budget.usedBytes]).toEqual([true, length]);
    inflated.release();
    expect(budget.usedBytes).toBe(0);
  });

  test('stops a bomb at its limit, in time and memory', async () => {
    const bomb = compress(Buffer.alloc(200 * MEBIBYTE));
    const { inflater: unpack, budget } = inflater();
    const body = held(bomb);
    const started = performance.now();
    await expect(unpack.inflate(body, coding)).rejects.toMatchObject({ status: 413 });
    expect(performance.now() - started).toBeLessThan(1000);
    expect([body.isReleased, budget.usedBytes]).toEqual([true, 0]);
  });

  test('what is below a mebibyte may have any ratio', async () => {
    const { inflater: unpack } = inflater();
    const inflated = await unpack.inflate(held(compress(Buffer.alloc(MEBIBYTE))), coding);
    expect(inflated.bytes).toHaveLength(MEBIBYTE);
  });

  test('what is damaged, cut off or followed by something gets 400', async () => {
    const { inflater: unpack, budget } = inflater();
    const whole = compress('{"a":1}');
    const broken = Buffer.from(whole);
    broken[whole.length - 3]! ^= 0xff;
    for (const bytes of [
      Buffer.from('plain'),
      whole.subarray(0, 8),
      broken,
      Buffer.concat([whole, Buffer.from('x')]),
    ]) {
      const body = held(bytes);
      await expect(unpack.inflate(body, coding)).rejects.toMatchObject({ status: 400 });
      expect(body.isReleased).toBe(true);
    }
    expect(budget.usedBytes).toBe(0);
  });

  test('frames one after the other are one body', async () => {
    const { inflater: unpack } = inflater();
    const body = held(Buffer.concat([compress('one '), compress('two')]));
    expect((await unpack.inflate(body, coding)).bytes.toString()).toBe('one two');
  });

  test('many bodies at once share the decoders', async () => {
    const { inflater: unpack, budget } = inflater();
    const texts = Array.from({ length: 40 }, (_, index) => `body ${index} `.repeat(1000));
    const all = await Promise.all(texts.map((text) => unpack.inflate(held(compress(text)), coding)));
    expect(all.map(({ bytes }) => bytes.toString())).toEqual(texts);
    for (const body of all) body.release();
    expect(budget.usedBytes).toBe(0);
  });

  test('without memory it is 429 after a second, and nothing stays taken', async () => {
    const { inflater: unpack, budget } = inflater({ budgetBytes: 100_000 });
    await expect(unpack.inflate(held(compress(Buffer.alloc(MEBIBYTE))), coding)).rejects.toMatchObject({ status: 429 });
    expect(budget.usedBytes).toBe(0);
  });
});

test('zeros behind gzip are padding; frames without end cost no decoders', async () => {
  const { inflater: unpack } = inflater();
  const padded = held(Buffer.concat([gzipSync('text'), Buffer.alloc(512)]));
  expect((await unpack.inflate(padded, 'gzip')).bytes.toString()).toBe('text');
  const empty = zstdCompressSync('');
  const frames = held(Buffer.concat(Array.from({ length: 2000 }, () => empty)));
  await expect(unpack.inflate(frames, 'zstd')).rejects.toMatchObject({ status: 400 });
});

test('deflate under the name of gzip gets 400', async () => {
  await expect(inflater().inflater.inflate(held(deflateSync('x')), 'gzip')).rejects.toMatchObject({ status: 400 });
});

test('no coding passes the body itself', async () => {
  const body = held(Buffer.from('x'));
  expect(await inflater().inflater.inflate(body, 'identity')).toBe(body);
  expect(body.isReleased).toBe(false);
});

describe('a gzip file whose end says another length than it has', () => {
  const text = Buffer.alloc(300_000, 'a line of text\n');

  test.each([0, 1, 70_000, 299_999, 300_001, 2_000_000, 2 ** 32 - 1])(
    '%i: is refused, and takes no memory',
    async (says) => {
      const { inflater: unpack, budget } = inflater();
      const file = gzipSync(text);
      file.writeUInt32LE(says, file.length - 4);
      await expect(unpack.inflate(held(file), 'gzip')).rejects.toMatchObject({ status: 400 });
      expect(budget.usedBytes).toBe(0);
    },
  );

  test.each([10, 299_990, 700_000])(
    'is taken where it is the end of the last of several, of %i bytes',
    async (length) => {
      const { inflater: unpack } = inflater();
      const last = Buffer.alloc(length, 'another line\n');
      const inflated = await unpack.inflate(held(Buffer.concat([gzipSync(text), gzipSync(last)])), 'gzip');
      expect(inflated.bytes.equals(Buffer.concat([text, last]))).toBe(true);
    },
  );
});
