import {
  constants,
  createGunzip,
  createZstdDecompress,
  gunzipSync,
  type Gunzip,
  type ZlibOptions,
  type ZstdDecompress,
} from 'node:zlib';
import { MEMORY_WAIT_MS, outOfMemory, type HeldBody } from './body.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { Clock } from '../api/index.ts';
import { Refusal } from './refusal.ts';

export type ContentCoding = 'identity' | 'gzip' | 'zstd';

export interface InflateLimits {
  readonly maxBytes: number;
  readonly budget: ByteBudget;
  readonly clock: Clock;
}

/** A body may grow to this size whatever its ratio; beyond, to a hundred times what was sent. Logs reach thirty, bombs a thousand and more. */
const FREE_BYTES = 1024 * 1024;
const MAX_RATIO = 100;
const NOTHING = Buffer.alloc(0);
const CHUNK_BYTES = 64 * 1024;
/** Up to so many bytes the way to another thread and back costs more than the decompression, which takes a millisecond or a few. */
const QUICK_BYTES = 128 * 1024;
/** Header and trailer. */
const LEAST_GZIP_BYTES = 18;
/** Tools that compress in parallel write a frame per megabyte or more; frames without content would only cost decoders. */
const MAX_FRAMES = 1024;
/** 8 MiB, what every zstd decoder has to offer and level 19 needs. */
const ZSTD_WINDOW_LOG = 23;
/** Decoders at work at once: each may hold a window of 8 MiB, and there are four threads to run them. */
const DECODERS = 4;

/** The coding that `Content-Encoding` names. Throws a 415 that names those that are known, for stacked codings too. */
export function contentCoding(header: string | undefined): ContentCoding {
  switch (header?.trim().toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return 'identity';
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'zstd':
      return 'zstd';
    default:
      throw new Refusal(
        415,
        `the content coding ${JSON.stringify(header)} is not known; use gzip, zstd or none, once`,
        {
          headers: { 'Accept-Encoding': 'gzip, zstd' },
        },
      );
  }
}

/** Decompresses bodies within caps. */
export class Inflater {
  readonly #limits: InflateLimits;
  #decodersFree = DECODERS;
  readonly #queue: (() => void)[] = [];

  constructor(limits: InflateLimits) {
    this.#limits = limits;
  }

  /** Releases `body`; what it resolves with is the caller's. Throws 413 for bombs, 400 for what is damaged, 429 without memory. */
  async inflate(body: HeldBody, coding: ContentCoding): Promise<HeldBody> {
    if (coding === 'identity') return body;
    if (coding === 'gzip' && body.bytes.length <= QUICK_BYTES) return this.#inflateAtOnce(body);
    await this.#takeDecoder();
    const inflation = new Inflation(body.bytes.length, this.#limits);
    try {
      await inflateFrames(inflation, body.bytes, coding);
      return inflation.result();
    } catch (error) {
      inflation.drop();
      throw error;
    } finally {
      this.#giveDecoder();
      body.release();
    }
  }

  async #inflateAtOnce(body: HeldBody): Promise<HeldBody> {
    const inflation = new Inflation(body.bytes.length, this.#limits);
    try {
      await inflation.runAtOnce(body.bytes);
      return inflation.result();
    } catch (error) {
      inflation.drop();
      throw error;
    } finally {
      body.release();
    }
  }

  async #takeDecoder(): Promise<void> {
    if (this.#decodersFree > 0) this.#decodersFree--;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
  }

  #giveDecoder(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#decodersFree++;
    else next();
  }
}

/** Bytes behind the last frame are never dropped silently; only the zeros that may pad gzip files are. */
async function inflateFrames(inflation: Inflation, bytes: Buffer, coding: 'gzip' | 'zstd'): Promise<void> {
  let at = await inflation.run(coding, bytes);
  for (let frames = 1; at < bytes.length; frames++) {
    const rest = bytes.subarray(at);
    if (coding === 'gzip') {
      if (rest.every((byte) => byte === 0)) return;
      throw damaged(coding, 'bytes behind its end');
    }
    if (frames === MAX_FRAMES) throw damaged(coding, `more than ${MAX_FRAMES} frames`);
    at += await inflation.run(coding, rest);
  }
}

class Inflation {
  readonly #chunks: Buffer[] = [];
  readonly #limits: InflateLimits;
  readonly #maxBytes: number;
  #byteLength = 0;
  #takenBytes = 0;
  #isDropped = false;

  constructor(compressedBytes: number, limits: InflateLimits) {
    this.#limits = limits;
    this.#maxBytes = Math.min(limits.maxBytes, Math.max(FREE_BYTES, compressedBytes * MAX_RATIO));
  }

  /** Resolves with how many of the bytes were used: a zstd decoder stops behind its frame. */
  run(coding: 'gzip' | 'zstd', bytes: Buffer): Promise<number> {
    const decoder = createDecoder(coding);
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        decoder.destroy();
        reject(error);
      };
      decoder.on('data', (chunk: Buffer) => {
        if (decoder.destroyed) return;
        this.#byteLength += chunk.length;
        if (this.#byteLength > this.#maxBytes) {
          fail(bomb(this.#maxBytes, this.#maxBytes < this.#limits.maxBytes));
          return;
        }
        this.#chunks.push(chunk);
        if (this.#limits.budget.tryTake(chunk.length)) this.#takenBytes += chunk.length;
        else void this.#waitForMemory(decoder, chunk.length, fail);
      });
      decoder.on('end', () => {
        resolve(decoder.bytesWritten);
      });
      decoder.on('error', (error) => {
        fail(damaged(coding, error.message));
      });
      decoder.end(bytes);
    });
  }

  /** All members of a gzip file on this thread. */
  async runAtOnce(bytes: Buffer): Promise<void> {
    const { buffer, used } = this.#gunzip(bytes);
    if (!bytes.subarray(used).every((byte) => byte === 0)) throw damaged('gzip', 'bytes behind its end');
    const { budget, clock } = this.#limits;
    const { length } = buffer;
    if (!budget.tryTake(length) && !(await budget.take(length, { clock, timeoutMs: MEMORY_WAIT_MS })))
      throw outOfMemory();
    this.#takenBytes += length;
    this.#byteLength += length;
    this.#chunks.push(buffer);
  }

  #gunzip(bytes: Buffer): { readonly buffer: Buffer; readonly used: number } {
    const options: ZlibOptions = { maxOutputLength: this.#maxBytes, chunkSize: this.#sizeOf(bytes), info: true };
    try {
      // With `info` it tells what of the input it used, too, which the types do not know.
      const { buffer, engine } = gunzipSync(bytes, options) as unknown as { buffer: Buffer; engine: Gunzip };
      return { buffer, used: engine.bytesWritten };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        throw bomb(this.#maxBytes, this.#maxBytes < this.#limits.maxBytes);
      throw damaged('gzip', (error as Error).message);
    }
  }

  /** What the last four bytes of a gzip file say it becomes, so that it is inflated in one piece; within the cap, and only if it could be true. */
  #sizeOf(bytes: Buffer): number {
    const says = bytes.length < LEAST_GZIP_BYTES ? 0 : bytes.readUInt32LE(bytes.length - 4);
    // The byte more tells the decoder that it was enough.
    return says > CHUNK_BYTES && says < Math.min(this.#maxBytes, MAX_RATIO * bytes.length) ? says + 1 : CHUNK_BYTES;
  }

  result(): HeldBody {
    const body = {
      bytes: this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#byteLength),
      release: () => {
        free(body.bytes);
        body.bytes = NOTHING;
        this.drop();
      },
    };
    this.#chunks.length = 0;
    return body;
  }

  drop(): void {
    const taken = this.#takenBytes;
    this.#isDropped = true;
    this.#takenBytes = 0;
    this.#chunks.length = 0;
    if (taken > 0) this.#limits.budget.give(taken);
  }

  async #waitForMemory(decoder: Gunzip | ZstdDecompress, bytes: number, fail: (error: Error) => void): Promise<void> {
    decoder.pause();
    const isGranted = await this.#limits.budget.take(bytes, { clock: this.#limits.clock, timeoutMs: MEMORY_WAIT_MS });
    if (!isGranted) fail(outOfMemory());
    else if (this.#isDropped) this.#limits.budget.give(bytes);
    else {
      this.#takenBytes += bytes;
      decoder.resume();
    }
  }
}

/** At once: V8 takes it for growth of its heap, and marks all of that once many have come together. Less may share its memory with other small buffers. */
function free({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > CHUNK_BYTES) buffer.transfer(0);
}

function createDecoder(coding: 'gzip' | 'zstd'): Gunzip | ZstdDecompress {
  return coding === 'gzip'
    ? createGunzip({ chunkSize: CHUNK_BYTES })
    : createZstdDecompress({ chunkSize: CHUNK_BYTES, params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } });
}

function bomb(maxBytes: number, isRatio: boolean): Refusal {
  return isRatio
    ? new Refusal(413, `the body decompresses to more than ${MAX_RATIO} times its size; send it without compression`)
    : new Refusal(413, `the body decompresses to more than ${maxBytes} bytes; send it in smaller requests`);
}

function damaged(coding: string, detail: string): Refusal {
  return new Refusal(400, `decompressing the ${coding} body: ${detail}`);
}
