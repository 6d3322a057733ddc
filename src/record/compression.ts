import { createRequire } from 'node:module';
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { SluiceError } from '../api/index.ts';
import type { InflatedBuffers } from './inflated-buffers.ts';
import { layoutOfLz4Frame, readLz4Blocks, writeLz4Frame, type Lz4Blocks } from './lz4-frame.ts';
import { compressXerial, decompressSnappy, type SnappyBlocks } from './snappy-framing.ts';

/** Compressions of record batches, in the order of their codes in the attributes. */
export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/**
 * What the records of one batch may inflate to. Every codec is held to it before or while it inflates; what a format cannot reach from its input (lz4
 * 255 times, snappy 22 times) is refused before anything is allocated.
 */
export const MAX_INFLATED_BYTES = 64 * 1024 * 1024;

interface Lz4 {
  compressSync(bytes: Buffer): Buffer;
  uncompressSync(lengthAndBlock: Buffer): Buffer;
  decompressFrameSync(bytes: Buffer): Buffer;
}

interface Snappy {
  compressSync(bytes: Buffer): Buffer;
  uncompressSync(bytes: Buffer, options: { asBuffer: true }): Buffer;
}

export interface Compressor {
  /** Writes what `bytes` compress to into `out`, which may be the buffer that they lie in. Returns the end; -1 when it does not fit, and `bytes` are as they were. */
  compress(compression: Compression, bytes: Buffer, out: Buffer, at: number): number;
  /**
   * The bytes may be changed meanwhile, and are as they were afterwards. With `buffers` large results lie in one of those. Throws `RECORD_CORRUPT`, and
   * `RECORD_UNSUPPORTED` for what inflates beyond the limit.
   */
  decompress(compression: Compression, bytes: Buffer, buffers?: InflatedBuffers): Buffer;
}

/**
 * gzip and zstd are Node's own, at level 1: a hub spends its processor on records, and higher levels cost several times more for few bytes less.
 * The packages of the others are optional and loaded on first use; without them those codecs throw `RECORD_UNSUPPORTED`.
 */
export function createCompressor(require: (name: string) => unknown): Compressor {
  let loadedLz4: Lz4 | undefined;
  let loadedSnappy: SnappyBlocks | undefined;
  const lz4 = (): Lz4 => (loadedLz4 ??= loadPackage('lz4', 'lz4-napi', require) as Lz4);
  const snappy = (): SnappyBlocks =>
    (loadedSnappy ??= snappyBlocks(loadPackage('snappy', 'snappy', require) as Snappy));

  const lz4Blocks: Lz4Blocks = {
    compress: (bytes) => lz4().compressSync(bytes),
    decompress: (bytes) => lz4().uncompressSync(bytes),
  };

  const deflate = (compression: Exclude<Compression, 'lz4'>, bytes: Buffer): Buffer => {
    if (compression === 'none') return bytes;
    if (compression === 'snappy') return compressXerial(snappy(), bytes);
    if (compression === 'gzip') return gzipSync(bytes, { level: 1 });
    return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  };

  const compress = (compression: Compression, bytes: Buffer, out: Buffer, at: number): number => {
    if (compression === 'lz4') return writeLz4Frame(lz4Blocks, bytes, out, at);
    const compressed = deflate(compression, bytes);
    return at + compressed.length > out.length ? -1 : at + compressed.copy(out, at);
  };

  /** In parts. */
  const inflate = (compression: Compression, bytes: Buffer): readonly Buffer[] => {
    if (compression === 'none') return [bytes];
    if (compression === 'gzip') return [gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES })];
    if (compression === 'zstd') return [zstdDecompressSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES })];
    if (compression === 'snappy') return decompressSnappy(snappy(), bytes, MAX_INFLATED_BYTES);
    const { blocks, bound, areIndependent } = layoutOfLz4Frame(bytes);
    if (bound > MAX_INFLATED_BYTES) throw inflatesTooFar(compression);
    return areIndependent ? readLz4Blocks(lz4Blocks, bytes, blocks) : [lz4().decompressFrameSync(bytes)];
  };

  const decompress = (compression: Compression, bytes: Buffer, buffers?: InflatedBuffers): Buffer => {
    try {
      const parts = inflate(compression, bytes);
      if (buffers !== undefined) return buffers.join(parts, bytes);
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw inflatesTooFar(compression);
      throw new SluiceError('RECORD_CORRUPT', `decompressing a record batch by ${compression}`, { cause: error });
    }
  };

  return { compress, decompress };
}

let shared: Compressor | undefined;

/** The one that uses the installed packages. */
export function sharedCompressor(): Compressor {
  return (shared ??= createCompressor(createRequire(import.meta.url)));
}

function loadPackage(codec: string, name: string, require: (name: string) => unknown): unknown {
  try {
    return require(name);
  } catch (error) {
    const remedy = `the optional package "${name}" is not installed or has no build for this platform; run: npm install ${name}`;
    throw new SluiceError('RECORD_UNSUPPORTED', `loading the codec ${codec}: ${remedy}`, { cause: error });
  }
}

function snappyBlocks(snappy: Snappy): SnappyBlocks {
  return {
    compress: (bytes) => snappy.compressSync(bytes),
    decompress: (bytes) => snappy.uncompressSync(bytes, { asBuffer: true }),
  };
}

function inflatesTooFar(compression: Compression): SluiceError {
  const limit = `${MAX_INFLATED_BYTES / 1024 / 1024} MiB`;
  return new SluiceError('RECORD_UNSUPPORTED', `decompressing a record batch by ${compression}: more than ${limit}`);
}
