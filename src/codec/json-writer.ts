import { putDigits, putText, roomForText } from './json-text.ts';
import type { InvalidText } from './limits.ts';
import { sharedVectors, type Vectors } from './vectors.ts';

const FIRST_BYTES = 64 * 1024;
/** Below so many bytes a loop is quicker than a call. */
const SMALL_COPY_BYTES = 48;
/** From so many bytes on vectors are quicker, though the text is copied to them and back. */
const VECTOR_TEXT_BYTES = 96;
/** With three decimals it is an integer of 32 bits. */
const LARGEST_QUICK = 2_000_000;

/** Writes JSON into a buffer that grows and is used again: bytes from bytes, no strings in between. */
export class JsonWriter {
  /** What was written lies in `bytes[0, end)`. Another buffer once more room was needed. */
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  end = 0;
  readonly #invalidText: InvalidText;
  readonly #vectors: Vectors | null;
  /** Of `bytes`. */
  protected view = viewOf(this.bytes);
  /** The last source, and a view of it. */
  #source: Buffer = this.bytes;
  #from = this.view;

  constructor(invalidText: InvalidText, vectors: Vectors | null = sharedVectors()) {
    this.#invalidText = invalidText;
    this.#vectors = vectors;
  }

  /** Forgets what was written, and lets go of a buffer that has become large. */
  reset(): void {
    this.end = 0;
    if (this.bytes.length > 16 * FIRST_BYTES) this.#use(Buffer.allocUnsafeSlow(FIRST_BYTES));
  }

  /** Appends bytes that are JSON already. */
  raw(json: Uint8Array): void {
    this.room(json.length);
    if (json.length > SMALL_COPY_BYTES) this.bytes.set(json, this.end);
    else for (let at = 0; at < json.length; at++) this.bytes[this.end + at] = json[at]!;
    this.end += json.length;
  }

  /** Appends `source[start, end)` as it is. */
  slice(source: Buffer, start: number, end: number): void {
    this.room(end - start);
    this.end += source.copy(this.bytes, this.end, start, end);
  }

  /** Appends text that is JSON already, in ASCII. What is known beforehand is quicker as bytes (`raw`). */
  ascii(text: string): void {
    this.room(text.length);
    this.end += this.bytes.write(text, this.end, 'latin1');
  }

  /** Appends a JSON string of these bytes. */
  text(source: Buffer, start: number, end: number): void {
    this.room(roomForText(end - start));
    if (end - start >= VECTOR_TEXT_BYTES && this.#longText(source, start, end)) return;
    if (source !== this.#source) {
      this.#source = source;
      this.#from = viewOf(source);
    }
    const behind = putText(this.#from, start, end, this.view, this.end);
    if (behind >= 0) this.end = behind;
    else if (this.#invalidText === 'base64') this.base64(source, start, end);
    else {
      // Node replaces as the Unicode standard advises: one U+FFFD for each longest beginning of a character.
      const replaced = Buffer.from(source.toString('utf8', start, end));
      this.room(roomForText(replaced.length));
      this.end = putText(viewOf(replaced), 0, replaced.length, this.view, this.end);
    }
  }

  /** Appends a whole number from 0 to 2^32 − 1; ten bytes must be left. */
  digits(value: number): void {
    if (value > 0x7fffffff) {
      this.ascii(String(value));
      return;
    }
    this.end = putDigits(value, this.view, this.end);
  }

  /** Appends a number as JSON.stringify does, null for what JSON does not have; sixteen bytes must be left. */
  number(value: number): void {
    const positive = Math.abs(value);
    if (!(positive <= LARGEST_QUICK)) {
      this.ascii(Number.isFinite(value) ? String(value) : 'null');
      return;
    }
    const scale = decimalScale(positive);
    if (scale === 0) {
      this.ascii(String(value));
      return;
    }
    if (value < 0) this.bytes[this.end++] = 0x2d;
    const scaled = Math.round(positive * scale);
    const whole = (scaled / scale) | 0;
    this.digits(whole);
    if (scale === 1) return;
    this.bytes[this.end++] = 0x2e;
    let fraction = scaled - whole * scale;
    for (let unit = scale / 10; unit >= 1; unit /= 10) {
      const digit = (fraction / unit) | 0;
      this.bytes[this.end++] = 0x30 + digit;
      fraction -= digit * unit;
    }
  }

  /** Appends a JSON string of these bytes in base64. */
  base64(source: Buffer, start: number, end: number): void {
    this.room(2 * (end - start) + 8);
    this.bytes[this.end++] = 0x22;
    this.end += this.bytes.write(source.toString('base64', start, end), this.end, 'latin1');
    this.bytes[this.end++] = 0x22;
  }

  /** So many bytes can be written behind `end` after it. */
  room(bytes: number): void {
    if (this.end + bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.end + bytes));
    this.bytes.copy(larger, 0, 0, this.end);
    this.#use(larger);
  }

  /** False, and nothing appended, when it is left to others. */
  #longText(source: Buffer, start: number, end: number): boolean {
    const behind = this.#vectors === null ? -1 : this.#vectors.writeText(source, start, end, this.bytes, this.end);
    if (behind < 0) return false;
    this.end = behind;
    return true;
  }

  #use(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}

/**
 * 1, 10, 100 or 1000 for a number with so many decimals as its shortest form has; 0 for others. Up to ten digits, of which the last is no zero, mean a number that no fewer digits mean.
 */
function decimalScale(value: number): number {
  for (let scale = 1; scale <= 1000; scale *= 10) if (Math.round(value * scale) / scale === value) return scale;
  return 0;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
