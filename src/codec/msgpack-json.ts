import { SluiceError } from '../api/index.ts';
import { putDigits, putText, roomForText } from './json-text.ts';
import { JsonWriter } from './json-writer.ts';
import type { CodecLimits, InvalidText } from './limits.ts';
import {
  FALSE,
  FIXED_BYTES,
  FIXEXT1,
  FIXEXT16,
  FLOAT32,
  FLOAT64,
  INT16,
  INT32,
  INT64,
  INT8,
  isArray,
  isBytes,
  isExt,
  isMap,
  isNumber,
  LENGTH_BYTES,
  lengthAt,
  NIL,
  TRUE,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
} from './msgpack-layout.ts';
import { VectorWindow } from './vector-window.ts';
import { sharedVectors, type Vectors } from './vectors.ts';

export interface MsgpackJsonOptions {
  readonly limits: CodecLimits;
  readonly invalidText: InvalidText;
}

/** The longest of what is no text, with the signs around it: a 64-bit float has 24 characters, a time 20 and 10. */
const SCALAR_BYTES = 40;
const [NULL_JSON, FALSE_JSON, TRUE_JSON] = ['null', 'false', 'true'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
];
/** What two texts of less than 32 bytes need at most, with the signs around them. */
const PAIR_BYTES = 2 * roomForText(31) + 2;
const EVENT_TIME = 0;
const NANOS_DIGITS = 9;

/**
 * Writes MessagePack values as JSON, from bytes to bytes: no object for what passes through. Integers keep all their digits; NaN and the infinities, which JSON does not
 * have, become null; `bin` is text as `str` is, since loggers use one for the other; a fluentd EventTime is a number of seconds with nine decimals;
 * any other extension is `{"ext":<type>,"data":"<base64>"}`. Names that are no text are written as the text of their value.
 */
export class MsgpackJson extends JsonWriter {
  /** Behind the last value read. */
  at = 0;
  readonly #limits: CodecLimits;
  readonly #window: VectorWindow | null;
  #source: Buffer = this.bytes;
  #words = new DataView(this.bytes.buffer);
  #sourceEnd = 0;
  #names = 0;

  constructor({ limits, invalidText }: MsgpackJsonOptions, vectors: Vectors | null = sharedVectors()) {
    // A text of its own would take the window from the values.
    super(invalidText, null);
    this.#limits = limits;
    this.#window = vectors === null ? null : new VectorWindow(vectors);
  }

  /** Values lie in `source[…, end)` from now on. Their bytes must not change while they are read. */
  open(source: Buffer, end: number): void {
    this.#source = source;
    this.#words = new DataView(source.buffer, source.byteOffset, source.byteLength);
    this.#sourceEnd = end;
    this.#window?.open(source, end);
  }

  /** Appends the value that begins at `at`. Throws `DECODE_INVALID`, `DECODE_DEPTH` or `DECODE_KEYS`; `this.end` is as it was then. */
  write(at: number): void {
    if (this.#window === null || !this.#writeQuickly(at, this.#window)) this.#writeSlowly(at);
  }

  /** False, and nothing appended, when it is left to others. */
  #writeQuickly(at: number, window: VectorWindow): boolean {
    const { vectors } = window;
    window.reach(at);
    let end: number;
    do end = vectors.writeMsgpack(at - window.from, window.to - window.from, this.#limits);
    while (end === vectors.cutOff && window.moveOn(at));
    if (end < vectors.output) return false;
    this.slice(vectors.bytes, vectors.output, end);
    this.at = window.from + vectors.readUpTo;
    return true;
  }

  #writeSlowly(at: number): void {
    const before = this.end;
    try {
      this.at = at;
      this.#names = 0;
      this.#value(0);
    } catch (error) {
      this.end = before;
      throw error;
    }
  }

  #value(depth: number): void {
    const { at } = this;
    if (at >= this.#sourceEnd) throw this.#invalid('the value is cut off');
    const byte = this.#source[at]!;
    if (isNumber(byte)) this.#scalar(byte);
    else if (isBytes(byte)) this.#bytes(byte);
    else if (isMap(byte)) this.#map(byte, depth);
    else if (isArray(byte)) this.#array(byte, depth);
    else if (isExt(byte)) this.#ext(byte);
    else this.#scalar(byte);
    this.room(SCALAR_BYTES);
  }

  #map(byte: number, depth: number): void {
    const pairs = this.#open(byte, depth);
    this.#names += pairs;
    if (this.#names > this.#limits.maxKeys) throw this.#tooManyNames();
    this.room(SCALAR_BYTES);
    const start = this.end;
    for (let pair = 0; pair < pairs; pair++) {
      if (this.#shortPair(depth)) continue;
      this.#name();
      this.#value(depth + 1);
    }
    // Each name was written behind a comma.
    if (pairs === 0) this.end++;
    this.bytes[start] = 0x7b;
    this.bytes[this.end++] = 0x7d;
  }

  /** With a name, and perhaps a text, of less than 32 bytes: most of what logs are made of, in one step. False, and nothing of it read, for any other pair. */
  #shortPair(depth: number): boolean {
    this.room(PAIR_BYTES);
    const { at, view } = this;
    const words = this.#words;
    const last = this.#sourceEnd;
    if (at >= last) return false;
    const nameByte = words.getUint8(at);
    const nameEnd = at + 1 + (nameByte & 0x1f);
    if (!isShortText(nameByte) || nameEnd >= last) return false;
    let to = putText(words, at + 1, nameEnd, view, this.end + 1);
    if (to < 0) return false;
    view.setUint8(this.end, 0x2c);
    view.setUint8(to++, 0x3a);
    const valueByte = words.getUint8(nameEnd);
    const valueEnd = nameEnd + 1 + (valueByte & 0x1f);
    if (isShortText(valueByte) && valueEnd <= last) {
      to = putText(words, nameEnd + 1, valueEnd, view, to);
      if (to < 0) return false;
      this.at = valueEnd;
      this.end = to;
      this.room(SCALAR_BYTES);
    } else if (valueByte < 0x80) {
      this.at = nameEnd + 1;
      this.end = putDigits(valueByte, view, to);
    } else if (valueByte === UINT16 && nameEnd + 3 <= last) {
      this.at = nameEnd + 3;
      this.end = putDigits(words.getUint16(nameEnd + 1), view, to);
    } else {
      this.at = nameEnd;
      this.end = to;
      this.#value(depth + 1);
    }
    return true;
  }

  /** With the comma before it and the colon behind it. */
  #name(): void {
    if (this.at >= this.#sourceEnd) throw this.#invalid('the value is cut off');
    const byte = this.#source[this.at]!;
    this.bytes[this.end++] = 0x2c;
    if (isBytes(byte)) this.#bytes(byte);
    else {
      if (isMap(byte) || isArray(byte) || isExt(byte)) throw this.#invalid('a name is a map, an array or an extension');
      this.bytes[this.end++] = 0x22;
      this.#value(0);
      this.bytes[this.end++] = 0x22;
    }
    this.room(SCALAR_BYTES);
    this.bytes[this.end++] = 0x3a;
  }

  #array(byte: number, depth: number): void {
    const count = this.#open(byte, depth);
    this.room(SCALAR_BYTES);
    this.bytes[this.end++] = 0x5b;
    for (let index = 0; index < count; index++) {
      if (index > 0) this.bytes[this.end++] = 0x2c;
      this.#value(depth + 1);
    }
    this.bytes[this.end++] = 0x5d;
  }

  /** The number of elements or pairs. */
  #open(byte: number, depth: number): number {
    if (depth >= this.#limits.maxDepth) throw this.#tooDeep();
    const count = this.#head(byte);
    // Each takes a byte at least: no loop over a number that nobody filled.
    if (count > this.#sourceEnd - this.at) throw this.#invalid('the value is cut off');
    return count;
  }

  #head(byte: number): number {
    const next = this.at + 1 + LENGTH_BYTES[byte]!;
    if (next > this.#sourceEnd) throw this.#invalid('the value is cut off');
    const length = lengthAt(this.#source, this.at);
    this.at = next;
    return length;
  }

  #bytes(byte: number): void {
    const length = this.#head(byte);
    const start = this.at;
    if (length > this.#sourceEnd - start) throw this.#invalid('the value is cut off');
    this.at = start + length;
    this.text(this.#source, start, start + length);
  }

  #ext(byte: number): void {
    const length = byte >= FIXEXT1 && byte <= FIXEXT16 ? lengthAt(this.#source, this.at++) : this.#head(byte);
    const start = this.at + 1;
    if (start + length > this.#sourceEnd) throw this.#invalid('the value is cut off');
    const type = this.#words.getInt8(start - 1);
    this.at = start + length;
    this.room(SCALAR_BYTES);
    if (type === EVENT_TIME && length === 8) {
      this.digits(this.#words.getUint32(start));
      this.bytes[this.end++] = 0x2e;
      const nanos = this.#words.getUint32(start + 4);
      this.ascii(String(nanos).padStart(NANOS_DIGITS, '0').slice(0, NANOS_DIGITS));
      return;
    }
    this.ascii(`{"ext":${type},"data":`);
    this.room(2 * length + SCALAR_BYTES);
    this.base64(this.#source, start, start + length);
    this.bytes[this.end++] = 0x7d;
  }

  #scalar(byte: number): void {
    const { at } = this;
    const words = this.#words;
    const size = FIXED_BYTES[byte]!;
    this.room(SCALAR_BYTES);
    if (size === 0) throw this.#invalid('0xc1 begins no value');
    if (at + size > this.#sourceEnd) throw this.#invalid('the value is cut off');
    this.at = at + size;
    switch (byte) {
      case NIL:
        this.raw(NULL_JSON);
        break;
      case FALSE:
        this.raw(FALSE_JSON);
        break;
      case TRUE:
        this.raw(TRUE_JSON);
        break;
      case FLOAT32:
        this.number(words.getFloat32(at + 1));
        break;
      case FLOAT64:
        this.number(words.getFloat64(at + 1));
        break;
      case UINT8:
        this.digits(words.getUint8(at + 1));
        break;
      case UINT16:
        this.digits(words.getUint16(at + 1));
        break;
      case UINT32:
        this.digits(words.getUint32(at + 1));
        break;
      case UINT64:
        this.ascii(String(words.getBigUint64(at + 1)));
        break;
      case INT8:
        this.#integer(words.getInt8(at + 1));
        break;
      case INT16:
        this.#integer(words.getInt16(at + 1));
        break;
      case INT32:
        this.#integer(words.getInt32(at + 1));
        break;
      case INT64:
        this.ascii(String(words.getBigInt64(at + 1)));
        break;
      default:
        this.#integer(byte < 0x80 ? byte : byte - 256);
    }
  }

  #integer(value: number): void {
    if (value < 0) this.bytes[this.end++] = 0x2d;
    this.digits(Math.abs(value));
  }

  #invalid(reason: string): SluiceError {
    return new SluiceError('DECODE_INVALID', `MessagePack at byte ${this.at}: ${reason}`);
  }

  #tooDeep(): SluiceError {
    const { maxDepth } = this.#limits;
    return new SluiceError('DECODE_DEPTH', `MessagePack at byte ${this.at}: nested deeper than ${maxDepth} levels`);
  }

  #tooManyNames(): SluiceError {
    const { maxKeys } = this.#limits;
    return new SluiceError('DECODE_KEYS', `MessagePack at byte ${this.at}: more than ${maxKeys} names in one record`);
  }
}

function isShortText(byte: number): boolean {
  return (byte & 0xe0) === 0xa0;
}
