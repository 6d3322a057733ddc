import { SluiceError } from '../api/index.ts';
import { EXT32, EXT8, FIXED_BYTES, isArray, isMap, LENGTH_BYTES, lengthAt, RESERVED } from './msgpack-layout.ts';

export interface MsgpackScanLimits {
  /** Arrays and maps within each other. */
  readonly maxDepth: number;
  /** Of one value. What says that it is longer is refused before its bytes are here. */
  readonly maxBytes: number;
}

/**
 * Finds where a MessagePack value ends whose bytes come in pieces. It builds nothing, walks no byte twice and never recurses. Each `advance` goes on where the last
 * one had to stop.
 */
export class MsgpackScanner {
  readonly #limits: MsgpackScanLimits;
  /** Values that are missing, by depth; the first is the value itself. */
  readonly #missing: Float64Array;
  #depth = -1;
  #start = 0;
  #at = 0;
  #atLeast = 0;

  constructor(limits: MsgpackScanLimits) {
    this.#limits = limits;
    this.#missing = new Float64Array(limits.maxDepth + 1);
  }

  /** How long the value is that `advance` did not find the end of, as far as it says so itself. */
  get atLeast(): number {
    return this.#atLeast;
  }

  /** A value begins there. */
  begin(at: number): void {
    this.#start = this.#at = at;
    this.#depth = 0;
    this.#missing[0] = 1;
    this.#atLeast = 0;
  }

  /** The bytes were moved: what was at `from` is at 0 now. */
  moved(from: number): void {
    this.#start -= from;
    this.#at -= from;
  }

  /** The position behind the value, once all of it is within `bytes[…, end)`; else -1. Throws `DECODE_INVALID`, `DECODE_DEPTH` or `RECORD_TOO_LARGE`. */
  advance(bytes: Uint8Array, end: number): number {
    const missing = this.#missing;
    let at = this.#at;
    let depth = this.#depth;
    while (depth >= 0) {
      const left = missing[depth]!;
      if (left === 0) {
        depth--;
        continue;
      }
      if (at >= end) break;
      const byte = bytes[at]!;
      let next = at + FIXED_BYTES[byte]!;
      let within = 0;
      if (next === at) {
        const lengthBytes = LENGTH_BYTES[byte]!;
        if (at + 1 + lengthBytes > end) break;
        if (byte === RESERVED)
          throw new SluiceError('DECODE_INVALID', `byte ${at - this.#start}: 0xc1 begins no value`);
        next = at + 1 + lengthBytes;
        if (isMap(byte)) within = 2 * lengthAt(bytes, at);
        else if (isArray(byte)) within = lengthAt(bytes, at);
        else next += lengthAt(bytes, at) + (byte >= EXT8 && byte <= EXT32 ? 1 : 0);
      }
      // Each value within takes a byte at least.
      if (next + within - this.#start > this.#limits.maxBytes) throw this.#tooLarge();
      if (next > end) {
        this.#atLeast = next + within - this.#start;
        break;
      }
      missing[depth] = left - 1;
      at = next;
      if (within > 0) {
        if (++depth > this.#limits.maxDepth) throw this.#tooDeep(at);
        missing[depth] = within;
      }
    }
    this.#at = at;
    this.#depth = depth;
    return depth < 0 ? at : -1;
  }

  #tooLarge(): SluiceError {
    return new SluiceError('RECORD_TOO_LARGE', `a MessagePack value is larger than ${this.#limits.maxBytes} bytes`);
  }

  #tooDeep(at: number): SluiceError {
    const place = at - this.#start;
    return new SluiceError('DECODE_DEPTH', `byte ${place}: nested deeper than ${this.#limits.maxDepth} levels`);
  }
}
