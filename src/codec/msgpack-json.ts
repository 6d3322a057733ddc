import { SluiceError } from '../api/index.ts';
import type { CodecLimits } from './limits.ts';
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
  LENGTH_BYTES,
  lengthAt,
  NIL,
  TRUE,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
} from './msgpack-layout.ts';

/** What becomes of text that is not UTF-8: its wrong bytes are replaced by U+FFFD, or all of it is written in base64. */
export type InvalidText = 'replace' | 'base64';

export interface MsgpackJsonOptions {
  readonly limits: CodecLimits;
  readonly invalidText: InvalidText;
}

const FIRST_BYTES = 64 * 1024;
/** The longest of what is no text: a 64-bit float has 24 characters, a time 20 and 10. */
const SCALAR_BYTES = 40;
/** By byte: 0 for what stands for itself in a JSON string, 1 for what takes six characters, else the letter behind a backslash. */
const ESCAPES = Uint8Array.from({ length: 128 }, (_, byte) => (byte < 0x20 ? 1 : 0));
for (const [byte, letter] of ['"', '\\\\', '\bb', '\ff', '\nn', '\rr', '\tt'].map(
  (pair) => [pair.charCodeAt(0), pair.charCodeAt(pair.length - 1)] as const,
))
  ESCAPES[byte] = letter;
const HEX = Buffer.from('0123456789abcdef');
const EVENT_TIME = 0;
const NANOS_DIGITS = 9;

/**
 * Writes MessagePack values as JSON, from bytes to bytes: no object for what passes through. Integers keep all their digits; NaN and the infinities, which JSON does not
 * have, become null; `bin` is text as `str` is, since loggers use one for the other; a fluentd EventTime is a number of seconds with nine decimals;
 * any other extension is `{"ext":<type>,"data":"<base64>"}`. Names that are no text are written as the text of their value.
 */
export class MsgpackJson {
  /** What was written lies in `bytes[0, end)`. Another buffer after a `write` that needed more room. */
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  end = 0;
  /** Behind the last value read. */
  at = 0;
  readonly #options: MsgpackJsonOptions;
  #source: Buffer = this.bytes;
  #words = new DataView(this.bytes.buffer);
  #sourceEnd = 0;
  #names = 0;

  constructor(options: MsgpackJsonOptions) {
    this.#options = options;
  }

  /** Forgets what was written, and lets go of a buffer that has become large. */
  reset(): void {
    this.end = 0;
    if (this.bytes.length > 16 * FIRST_BYTES) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  /** Appends the value at `source[at]`, which must end within `end`. Throws `DECODE_INVALID`, `DECODE_DEPTH` or `DECODE_KEYS`; `this.end` is as it was then. */
  write(source: Buffer, at: number, end: number): void {
    this.#from(source, at, end);
    const before = this.end;
    try {
      this.#names = 0;
      this.#value(0);
    } catch (error) {
      this.end = before;
      throw error;
    }
  }

  /** Appends bytes that are JSON already. */
  raw(json: Uint8Array): void {
    this.#room(json.length);
    this.bytes.set(json, this.end);
    this.end += json.length;
  }

  /** Appends text that is JSON already, in ASCII. */
  ascii(text: string): void {
    this.#room(text.length);
    this.end += this.bytes.write(text, this.end, 'latin1');
  }

  /** Appends a JSON string of these bytes. */
  text(source: Buffer, start: number, end: number): void {
    this.#room(6 * (end - start) + 2);
    if (this.#utf8(source, start, end)) return;
    if (this.#options.invalidText === 'base64') {
      this.#base64(source, start, end);
      return;
    }
    // Node replaces as the Unicode standard advises: one U+FFFD for each longest beginning of a character.
    const replaced = Buffer.from(source.toString('utf8', start, end));
    this.#room(6 * replaced.length + 2);
    this.#utf8(replaced, 0, replaced.length);
  }

  /** False, and nothing written, when they are not UTF-8. */
  #utf8(source: Buffer, start: number, end: number): boolean {
    const out = this.bytes;
    let to = this.end;
    out[to++] = 0x22;
    for (let at = start; at < end;) {
      const byte = source[at]!;
      if (byte >= 0x80) {
        const length = characterBytes(source, at, end);
        if (length === 0) return false;
        for (const next = at + length; at < next; at++) out[to++] = source[at]!;
        continue;
      }
      at++;
      const escape = ESCAPES[byte]!;
      if (escape === 0) out[to++] = byte;
      else if (escape === 1) {
        to += out.write('\\u00', to, 'latin1');
        out[to++] = HEX[byte >> 4]!;
        out[to++] = HEX[byte & 15]!;
      } else {
        out[to++] = 0x5c;
        out[to++] = escape;
      }
    }
    out[to++] = 0x22;
    this.end = to;
    return true;
  }

  #from(source: Buffer, at: number, end: number): void {
    if (source !== this.#source) {
      this.#source = source;
      this.#words = new DataView(source.buffer, source.byteOffset, source.byteLength);
    }
    this.at = at;
    this.#sourceEnd = end;
  }

  #value(depth: number): void {
    const source = this.#source;
    const at = this.at;
    if (at >= this.#sourceEnd) throw this.#invalid('the value is cut off');
    const byte = source[at]!;
    this.#room(SCALAR_BYTES);
    if (byte < 0x80) {
      this.at++;
      this.#digits(byte);
    } else if (isBytes(byte)) this.#bytes(byte);
    else if (isMap(byte)) this.#map(byte, depth);
    else if (isArray(byte)) this.#array(byte, depth);
    else if (isExt(byte)) this.#ext(byte);
    else this.#scalar(byte);
  }

  #map(byte: number, depth: number): void {
    const pairs = this.#open(byte, depth);
    this.bytes[this.end++] = 0x7b;
    for (let pair = 0; pair < pairs; pair++) {
      if (++this.#names > this.#options.limits.maxKeys) throw this.#tooManyNames();
      if (pair > 0) this.bytes[this.end++] = 0x2c;
      this.#name();
      this.bytes[this.end++] = 0x3a;
      this.#value(depth + 1);
      this.#room(SCALAR_BYTES);
    }
    this.bytes[this.end++] = 0x7d;
  }

  #name(): void {
    if (this.at >= this.#sourceEnd) throw this.#invalid('the value is cut off');
    const byte = this.#source[this.at]!;
    if (isBytes(byte)) {
      this.#bytes(byte);
      this.#room(SCALAR_BYTES);
      return;
    }
    if (isMap(byte) || isArray(byte) || isExt(byte)) throw this.#invalid('a name is a map, an array or an extension');
    this.#room(SCALAR_BYTES);
    this.bytes[this.end++] = 0x22;
    this.#value(0);
    this.#room(SCALAR_BYTES);
    this.bytes[this.end++] = 0x22;
  }

  #array(byte: number, depth: number): void {
    const count = this.#open(byte, depth);
    this.bytes[this.end++] = 0x5b;
    for (let index = 0; index < count; index++) {
      if (index > 0) this.bytes[this.end++] = 0x2c;
      this.#value(depth + 1);
      this.#room(SCALAR_BYTES);
    }
    this.bytes[this.end++] = 0x5d;
  }

  /** The number of elements or pairs. */
  #open(byte: number, depth: number): number {
    if (depth >= this.#options.limits.maxDepth) throw this.#tooDeep();
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
    if (type === EVENT_TIME && length === 8) {
      this.#digits(this.#words.getUint32(start));
      this.bytes[this.end++] = 0x2e;
      const nanos = this.#words.getUint32(start + 4);
      this.ascii(String(nanos).padStart(NANOS_DIGITS, '0').slice(0, NANOS_DIGITS));
      return;
    }
    this.ascii(`{"ext":${type},"data":`);
    this.#room(2 * length + SCALAR_BYTES);
    this.#base64(this.#source, start, start + length);
    this.bytes[this.end++] = 0x7d;
  }

  #scalar(byte: number): void {
    const { at } = this;
    const words = this.#words;
    const size = FIXED_BYTES[byte]!;
    if (size === 0) throw this.#invalid('0xc1 begins no value');
    if (at + size > this.#sourceEnd) throw this.#invalid('the value is cut off');
    this.at = at + size;
    switch (byte) {
      case NIL:
        this.ascii('null');
        break;
      case FALSE:
        this.ascii('false');
        break;
      case TRUE:
        this.ascii('true');
        break;
      case FLOAT32:
        this.#float(words.getFloat32(at + 1));
        break;
      case FLOAT64:
        this.#float(words.getFloat64(at + 1));
        break;
      case UINT8:
        this.#digits(words.getUint8(at + 1));
        break;
      case UINT16:
        this.#digits(words.getUint16(at + 1));
        break;
      case UINT32:
        this.#digits(words.getUint32(at + 1));
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
        this.#integer(byte - 256);
    }
  }

  #float(value: number): void {
    this.ascii(Number.isFinite(value) ? String(value) : 'null');
  }

  #integer(value: number): void {
    if (value < 0) this.bytes[this.end++] = 0x2d;
    this.#digits(Math.abs(value));
  }

  /** Below 2^32. */
  #digits(value: number): void {
    let length = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) length++;
    let at = (this.end += length);
    do {
      const rest = Math.floor(value / 10);
      this.bytes[--at] = 0x30 + value - 10 * rest;
      value = rest;
    } while (--length > 0);
  }

  #base64(source: Buffer, start: number, end: number): void {
    this.#room(2 * (end - start) + SCALAR_BYTES);
    this.bytes[this.end++] = 0x22;
    this.end += this.bytes.write(source.toString('base64', start, end), this.end, 'latin1');
    this.bytes[this.end++] = 0x22;
  }

  #room(bytes: number): void {
    if (this.end + bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.end + bytes));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }

  #invalid(reason: string): SluiceError {
    return new SluiceError('DECODE_INVALID', `MessagePack at byte ${this.at}: ${reason}`);
  }

  #tooDeep(): SluiceError {
    const { maxDepth } = this.#options.limits;
    return new SluiceError('DECODE_DEPTH', `MessagePack at byte ${this.at}: nested deeper than ${maxDepth} levels`);
  }

  #tooManyNames(): SluiceError {
    const { maxKeys } = this.#options.limits;
    return new SluiceError('DECODE_KEYS', `MessagePack at byte ${this.at}: more than ${maxKeys} names in one record`);
  }
}

/** Of the UTF-8 character at `at`, which is no ASCII; 0 when there is none (RFC 3629, section 4). */
function characterBytes(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > end) return 0;
  const second = bytes[at + 1]!;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let index = 2; index < length; index++) if ((bytes[at + index]! & 0xc0) !== 0x80) return 0;
  return length;
}
