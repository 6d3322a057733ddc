import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import type { ArchiveFormat } from '../position.ts';
import type { InputFile } from '../storage.ts';

const READ_BYTES = 64 * 1024;
const PIECE_BYTES = 128 * 1024;
/** 8 MiB, what every zstd decoder has to offer and level 19 needs. */
const ZSTD_WINDOW_LOG = 23;

/** The compressed bytes end too early (`truncated`), or are none. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
  readonly kind: 'truncated' | 'damaged';
  /** In the compressed file: the fault lies not before. */
  readonly at: number;

  constructor(kind: 'truncated' | 'damaged', at: number, message: string) {
    super(message);
    this.kind = kind;
    this.at = at;
  }
}

/**
 * From byte `from` of the file on the decoder gets `step` bytes at once. What it made of input that it fails within is lost: so all that stands before a fault
 * is told when the last good byte before it comes alone.
 */
export interface Careful {
  readonly from: number;
  readonly step: number;
}

/** What a compressed file holds, piece by piece and once: all members of gzip, all frames of zstd. Holds one piece, however much it grows to. */
export class Decompression {
  readonly #file: InputFile;
  readonly #format: ArchiveFormat;
  readonly #careful: Careful;
  readonly #input = Buffer.allocUnsafeSlow(READ_BYTES);
  #decoder: Gunzip | ZstdDecompress | null = null;
  /** Of the file: the next byte to read, the first of the member, the first that the decoder has at work. */
  #readAt = 0;
  #memberAt = 0;
  #fedAt = 0;
  #wantsInput = true;
  #hasEnded = false;
  #failure: Error | null = null;
  /** Bytes of `#input` that are behind the end of a member. */
  #rest: Buffer | null = null;
  #wake: (() => void) | null = null;

  constructor(file: InputFile, format: ArchiveFormat, careful: Careful = { from: Infinity, step: 1 }) {
    this.#file = file;
    this.#format = format;
    this.#careful = careful;
  }

  /** Null at the end. Rejects with an `ArchiveError`, or with what reading rejects with. */
  async next(): Promise<Buffer | null> {
    for (;;) {
      this.#decoder ??= this.#createDecoder();
      const piece = this.#decoder.read() as Buffer | null;
      if (piece !== null) return piece;
      if (this.#failure !== null) throw this.#failure;
      if (this.#hasEnded) {
        if (!(await this.#beginMember())) return null;
      } else if (this.#wantsInput) await this.#feed();
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.#decoder?.destroy();
    this.#decoder = null;
  }

  #createDecoder(): Gunzip | ZstdDecompress {
    const options = { chunkSize: PIECE_BYTES };
    const decoder =
      this.#format === 'gzip'
        ? createGunzip(options)
        : createZstdDecompress({ ...options, params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } });
    const told = (): void => {
      this.#wake?.();
      this.#wake = null;
    };
    decoder.on('readable', told);
    decoder.on('end', () => {
      this.#hasEnded = true;
      told();
    });
    decoder.on('error', (error: NodeJS.ErrnoException) => {
      const isShort = error.code === 'Z_BUF_ERROR';
      this.#failure ??= new ArchiveError(isShort ? 'truncated' : 'damaged', this.#fedAt, error.message);
      told();
    });
    this.#hasEnded = false;
    this.#wantsInput = true;
    return decoder;
  }

  async #feed(): Promise<void> {
    this.#wantsInput = false;
    const bytes = this.#rest ?? (await this.#readInput());
    this.#rest = null;
    const decoder = this.#decoder;
    // Closed meanwhile.
    if (decoder === null) return;
    this.#fedAt = this.#readAt - bytes.length;
    if (bytes.length === 0) {
      decoder.end();
      return;
    }
    decoder.write(bytes, () => {
      this.#wantsInput = true;
      this.#wake?.();
      this.#wake = null;
    });
  }

  async #readInput(): Promise<Buffer> {
    const left = this.#careful.from - this.#readAt;
    const length = left <= 0 ? this.#careful.step : Math.min(READ_BYTES, left);
    const count = await this.#file.read(this.#input, 0, length, this.#readAt);
    this.#readAt += count;
    return this.#input.subarray(0, count);
  }

  /** A decoder stops behind a frame of zstd, and before the zeros that may pad a gzip file. False when nothing is left. */
  async #beginMember(): Promise<boolean> {
    const behind = this.#memberAt + this.#decoder!.bytesWritten;
    this.#readAt = behind;
    let bytes = await this.#readInput();
    if (this.#format === 'gzip') {
      while (bytes.length > 0 && bytes.every((byte) => byte === 0)) bytes = await this.#readInput();
      if (bytes.length > 0) throw new ArchiveError('damaged', this.#readAt - bytes.length, 'bytes behind its end');
    }
    if (bytes.length === 0) return false;
    this.#decoder!.destroy();
    this.#memberAt = this.#readAt - bytes.length;
    this.#rest = bytes;
    this.#decoder = this.#createDecoder();
    return true;
  }
}
