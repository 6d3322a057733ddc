import { gzipSync, zstdCompressSync, constants } from 'node:zlib';
import { BlockBody, type Part } from './content.ts';

const BLOCK = 1 << 20;

/** Lines as members of gzip or frames of zstd, one a block: every tool reads them as one stream. */
export class CompressedLines extends BlockBody {
  readonly block = BLOCK;
  readonly #compress: (bytes: Uint8Array) => Uint8Array;
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;

  constructor(compress: (bytes: Uint8Array) => Uint8Array) {
    super();
    this.#compress = compress;
  }

  protected take({ bytes }: Part): number {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.ceil(length * 1.5));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
    return bytes.length;
  }

  protected encodeBlock(): Uint8Array {
    return this.#compress(this.#bytes.subarray(0, this.#length));
  }

  protected clear(): void {
    this.#length = 0;
  }
}

/** `level` undefined: what the library takes. */
export function gzipBy(level: number | undefined): (bytes: Uint8Array) => Uint8Array {
  const options = level === undefined ? {} : { level };
  return (bytes) => gzipSync(bytes, options);
}

export function zstdBy(level: number | undefined): (bytes: Uint8Array) => Uint8Array {
  const options = level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } };
  return (bytes) => zstdCompressSync(bytes, options);
}
