import { SluiceError } from '../api/index.ts';
import {
  FALSE,
  FIXED_BYTES,
  FLOAT32,
  FLOAT64,
  INT64,
  isArray,
  isBytes,
  isExt,
  isMap,
  isNumber,
  LENGTH_BYTES,
  lengthAt,
  NIL,
  TRUE,
  UINT64,
  UINT8,
} from './msgpack-layout.ts';

export type MsgpackKind = 'array' | 'map' | 'bytes' | 'number' | 'ext' | 'nil' | 'boolean';

/**
 * Reads MessagePack value by value without building more than is asked for. Everything throws `DECODE_INVALID` where the bytes end too soon, or hold another kind than
 * was asked for.
 */
export class MsgpackCursor {
  /** Where the next value begins. */
  at = 0;
  end = 0;
  /** Of the text or the extension read last: it lies in `bytes[from, to)`. */
  from = 0;
  to = 0;
  /** Of the extension read last. */
  type = 0;
  bytes: Buffer = Buffer.alloc(0);
  #words = new DataView(this.bytes.buffer, 0, 0);

  /** From now on it reads these bytes. */
  open(bytes: Buffer, at: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.at = at;
    this.end = end;
  }

  /** Of the next value. */
  kind(): MsgpackKind {
    const byte = this.#first();
    if (isBytes(byte)) return 'bytes';
    if (isMap(byte)) return 'map';
    if (isArray(byte)) return 'array';
    if (isExt(byte)) return 'ext';
    if (byte === NIL) return 'nil';
    if (byte === TRUE || byte === FALSE) return 'boolean';
    if (FIXED_BYTES[byte] === 0) throw this.#invalid('0xc1 begins no value');
    return 'number';
  }

  /** The number of elements, which come next. */
  array(): number {
    if (!isArray(this.#first())) throw this.#invalid('expected an array');
    return this.#head();
  }

  /** The number of pairs, which come next, name before value. */
  map(): number {
    if (!isMap(this.#first())) throw this.#invalid('expected a map');
    return this.#head();
  }

  /** Text or bytes, which lie in `bytes[from, to)` then. */
  text(): void {
    if (!isBytes(this.#first())) throw this.#invalid('expected text');
    const byte = this.bytes[this.at]!;
    const length = LENGTH_BYTES[byte] === 0 ? byte & 0x1f : this.#lengthAhead();
    this.from = this.at + 1 + LENGTH_BYTES[byte]!;
    this.#past(this.from + length);
  }

  /** An extension, whose content lies in `bytes[from, to)` then. */
  ext(): void {
    const byte = this.#first();
    if (!isExt(byte)) throw this.#invalid('expected an extension');
    const length = this.#lengthAhead();
    this.from = this.at + 2 + LENGTH_BYTES[byte]!;
    this.#past(this.from + length);
    this.type = this.#words.getInt8(this.from - 1);
  }

  number(): number {
    const byte = this.#first();
    const { at } = this;
    const size = FIXED_BYTES[byte]!;
    if (!isNumber(byte)) throw this.#invalid('expected a number');
    if (at + size > this.end) throw this.#cut();
    this.at = at + size;
    const words = this.#words;
    if (byte < 0x80) return byte;
    if (byte >= 0xe0) return byte - 256;
    if (byte === FLOAT32) return words.getFloat32(at + 1);
    if (byte === FLOAT64) return words.getFloat64(at + 1);
    if (byte === UINT64) return Number(words.getBigUint64(at + 1));
    if (byte === INT64) return Number(words.getBigInt64(at + 1));
    const isUnsigned = byte >= UINT8 && byte < UINT64;
    switch (size) {
      case 2:
        return isUnsigned ? words.getUint8(at + 1) : words.getInt8(at + 1);
      case 3:
        return isUnsigned ? words.getUint16(at + 1) : words.getInt16(at + 1);
      default:
        return isUnsigned ? words.getUint32(at + 1) : words.getInt32(at + 1);
    }
  }

  uint32(at: number): number {
    return this.#words.getUint32(at);
  }

  /** Goes past a value and all within. */
  skip(): void {
    for (let missing = 1; missing > 0; missing--) {
      const byte = this.#first();
      if (isMap(byte)) missing += 2 * this.#head();
      else if (isArray(byte)) missing += this.#head();
      else if (isBytes(byte)) this.text();
      else if (isExt(byte)) this.ext();
      else if (FIXED_BYTES[byte] === 0) throw this.#invalid('0xc1 begins no value');
      else if (this.at + FIXED_BYTES[byte]! > this.end) throw this.#cut();
      else this.at += FIXED_BYTES[byte]!;
    }
  }

  #first(): number {
    if (this.at >= this.end) throw this.#cut();
    return this.bytes[this.at]!;
  }

  /** Of an array or a map. */
  #head(): number {
    const count = this.#lengthAhead();
    this.at += 1 + LENGTH_BYTES[this.bytes[this.at]!]!;
    // Each value within takes a byte at least: no loop over a number that nobody filled.
    if (count > this.end - this.at) throw this.#cut();
    return count;
  }

  #lengthAhead(): number {
    if (this.at + 1 + LENGTH_BYTES[this.bytes[this.at]!]! > this.end) throw this.#cut();
    return lengthAt(this.bytes, this.at);
  }

  #past(to: number): void {
    if (to > this.end) throw this.#cut();
    this.to = this.at = to;
  }

  #cut(): SluiceError {
    return this.#invalid('the value is cut off');
  }

  #invalid(reason: string): SluiceError {
    return new SluiceError('DECODE_INVALID', `MessagePack at byte ${this.at}: ${reason}`);
  }
}
