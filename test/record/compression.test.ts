import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import {
  COMPRESSIONS,
  createCompressor,
  MAX_INFLATED_BYTES,
  sharedCompressor,
  type Compression,
} from '../../src/record/compression.ts';
import { readBatchHeader } from '../../src/record/index.ts';
import { allOf, knownRecord, sealed, viewOf, texts } from './support/records.ts';

const { decompress } = sharedCompressor();
const compress = (codec: Compression, bytes: Buffer, compressor = sharedCompressor()): Buffer => {
  const out = Buffer.alloc(2 * bytes.length + 1000);
  const end = compressor.compress(codec, bytes, out, 0);
  return out.subarray(0, end);
};
const load = createRequire(import.meta.url);
const snappy = load('snappy') as { compressSync(bytes: Buffer): Buffer };
const lz4 = load('lz4-napi') as {
  compressFrameSync(bytes: Buffer, options?: object): Buffer;
  decompressFrameSync(bytes: Buffer): Buffer;
};

const compressible = { key: null, value: Buffer.alloc(4096, 'again and '), timestamp: 7, headers: [] };

test('batches of every codec hold what was put in', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...COMPRESSIONS),
      fc.array(knownRecord, { minLength: 1, maxLength: 8 }),
      (codec, records) => {
        const all = [...records, compressible];
        const batch = sealed(all, codec);
        expect(readBatchHeader(batch, 0).compression).toBe(codec);
        expect(texts(allOf(viewOf(batch)))).toEqual(texts(all));
      },
    ),
  );
});

test.each(COMPRESSIONS)('records that %s does not make smaller stay as they are', (codec) => {
  const records = [{ key: null, value: randomBytes(3), timestamp: 7, headers: [] }];
  const batch = sealed(records, codec);
  expect(readBatchHeader(batch, 0).compression).toBe('none');
  expect(texts(allOf(viewOf(batch)))).toEqual(texts(records));
});

test.each(COMPRESSIONS)('%s gives back any bytes, beyond its block size too', (codec) => {
  for (const size of [1, 32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, 200_000]) {
    const text = Buffer.alloc(size, 'a line of text, and another one\n');
    const noise = Buffer.from(
      Array.from({ length: Math.min(size, 70_000) }, (_, at) => (Math.imul(at, 0x9e3779b1) >>> 13) & 255),
    );
    for (const bytes of [text, noise]) expect(decompress(codec, compress(codec, bytes)).equals(bytes)).toBe(true);
  }
});

test('snappy is framed as Java frames it, in blocks of 32 KiB, and read bare as librdkafka writes it', () => {
  const bytes = Buffer.alloc(70_000, 'a line of text\n');
  const framed = compress('snappy', bytes);
  expect(framed.toString('hex', 0, 16)).toBe('82534e41505059000000000100000001');
  const sizes: number[] = [];
  for (let at = 16; at < framed.length; at += 4 + framed.readInt32BE(at)) sizes.push(framed.readInt32BE(at));
  expect(sizes).toHaveLength(3);
  expect(decompress('snappy', snappy.compressSync(bytes)).equals(bytes)).toBe(true);
});

test('lz4 frames of the package, with checksums and without, are read, and what they are read from stays as it is', () => {
  const bytes = Buffer.alloc(200_000, 'a line of text\n');
  for (const checksums of [true, false]) {
    const frame = lz4.compressFrameSync(bytes, { contentChecksum: checksums, blockChecksums: checksums });
    const before = Buffer.from(frame);
    expect(decompress('lz4', frame).equals(bytes)).toBe(true);
    expect(frame.equals(before)).toBe(true);
  }
});

test('lz4 frames are written in blocks of 64 KiB, which the package reads, those that do not get smaller as they are', () => {
  for (const size of [1, 64 * 1024, 64 * 1024 + 1, 256 * 1024 + 1, 1024 * 1024 + 1, 4 * 1024 * 1024 + 1, 9_000_000]) {
    const text = Buffer.alloc(size, 'a line of text, and another one\n');
    const bytes = Buffer.concat([text, randomBytes(100_000), text]);
    const frame = compress('lz4', bytes);
    expect(lz4.decompressFrameSync(frame).equals(bytes)).toBe(true);
    expect(decompress('lz4', frame).equals(bytes)).toBe(true);
  }
});

test.each(COMPRESSIONS)('%s is written over the bytes that it was made of, or not at all', (codec) => {
  for (const size of [10, 100_000, 5_000_000]) {
    const text = Buffer.alloc(size, 'a line of text, and another one\n');
    const noise = randomBytes(size);
    for (const bytes of [text, noise]) {
      const out = Buffer.concat([Buffer.alloc(61), bytes]);
      const end = sharedCompressor().compress(codec, out.subarray(61), out, 61);
      if (end === -1) expect(out.subarray(61).equals(bytes)).toBe(true);
      else expect(decompress(codec, out.subarray(61, end)).equals(bytes)).toBe(true);
      if (bytes === text && size > 10) expect(end).not.toBe(-1);
    }
  }
});

test('a frame of many blocks that claim to be large takes no more than they can stand for', () => {
  const block = Buffer.from([1, 0, 0, 0, 0]);
  const frame = Buffer.concat([
    Buffer.from('04224d18607073', 'hex'),
    ...Array<Buffer>(50_000).fill(block),
    Buffer.alloc(4),
  ]);
  const started = performance.now();
  expect(() => decompress('lz4', frame)).not.toThrow(RangeError);
  expect(performance.now() - started).toBeLessThan(2000);
});

describe('what inflates beyond the limit is refused', () => {
  const bomb = Buffer.alloc(MAX_INFLATED_BYTES + 1);
  const fast = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
  const unsupported = expect.objectContaining({ code: 'RECORD_UNSUPPORTED' }) as Error;

  test.each([
    ['gzip', (): Buffer => gzipSync(bomb, { level: 1 })],
    ['gzip', (): Buffer => Buffer.concat([gzipSync(bomb.subarray(1), { level: 1 }), gzipSync('x')])],
    ['zstd', (): Buffer => zstdCompressSync(bomb, fast)],
    ['zstd', (): Buffer => Buffer.concat([zstdCompressSync(bomb.subarray(1), fast), zstdCompressSync('x')])],
    ['lz4', (): Buffer => lz4.compressFrameSync(bomb)],
    ['lz4', (): Buffer => Buffer.concat([lz4.compressFrameSync(Buffer.from('x')), lz4.compressFrameSync(bomb)])],
    ['snappy', (): Buffer => compress('snappy', bomb)],
    ['snappy', (): Buffer => snappy.compressSync(bomb)],
  ] as const)('%s', (codec, create) => {
    const bytes = create();
    expect(bytes.length).toBeLessThan(bomb.length / 10);
    expect(() => decompress(codec, bytes)).toThrow(/more than 64 MiB|67108865 bytes|not a whole frame/);
    expect(() => decompress(codec, bytes)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^RECORD_/) as string }) as Error,
    );
  });

  test('a block of snappy that claims more than its bytes can stand for is corrupt, before anything is allocated', () => {
    const claim = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07, 0, 0, 0]);
    expect(() => decompress('snappy', claim)).toThrow(expect.objectContaining({ code: 'RECORD_CORRUPT' }) as Error);
  });

  test('the limit itself is not', () => {
    expect(decompress('zstd', zstdCompressSync(bomb.subarray(1), fast))).toHaveLength(MAX_INFLATED_BYTES);
    expect(() => decompress('zstd', zstdCompressSync(bomb, fast))).toThrow(unsupported);
  });
});

test.each(['lz4', 'snappy'] as const)('without its package %s says what to install, and the others work', (codec) => {
  const bare = createCompressor((name) => {
    throw new Error(`Cannot find module '${name}'`);
  });
  expect(() => compress(codec, Buffer.from('x'), bare)).toThrow(
    expect.objectContaining({
      code: 'RECORD_UNSUPPORTED',
      message: expect.stringContaining('npm install') as string,
    }) as Error,
  );
  expect(compress('zstd', Buffer.from('x'), bare).length).toBeGreaterThan(0);
});
