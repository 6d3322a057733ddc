import { behindValue } from './decode.ts';
import { JsonScanner, skipSpace } from './json-scanner.ts';
import type { CodecFault, CodecLimits } from './limits.ts';
import { utf8Fault } from './utf8.ts';

export interface SliceLimits extends CodecLimits {
  /** Of one record. */
  readonly maxRecordBytes: number;
}

/**
 * Walks the records of a message, each checked, without copying or building them: after `next` returned true the record is `bytes[start, end)`. False
 * at the end, or when something is wrong: then `fault` says what.
 */
export interface RecordSlices {
  readonly start: number;
  readonly end: number;
  /** The number of the record in people's terms, from 1: the line it is on, or which element it is. 0 before the first. */
  readonly number: number;
  readonly fault: CodecFault | null;
  next(): boolean;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** The elements of a JSON array, or a value that is none as the only record. */
export function jsonSlices(bytes: Buffer, limits: SliceLimits): RecordSlices {
  const start = skipSpace(bytes, 0, bytes.length);
  return bytes[start] === OPEN_BRACKET ? new ArraySlices(bytes, limits, start) : new ValueSlices(bytes, limits);
}

/** One JSON value a line; empty lines are passed over, a missing last line feed is forgiven. */
export function jsonLineSlices(bytes: Buffer, limits: SliceLimits): RecordSlices {
  return new LineSlices(bytes, limits, new JsonScanner(limits));
}

/** Lines of anything, without their line feed or carriage return and line feed; empty lines are records too. */
export function lineSlices(bytes: Buffer, limits: SliceLimits): RecordSlices {
  return new LineSlices(bytes, limits, null);
}

abstract class Slices implements RecordSlices {
  start = 0;
  end = 0;
  number = 0;
  fault: CodecFault | null = null;
  protected readonly bytes: Buffer;
  protected readonly limits: SliceLimits;

  /** `isJson`: what is no UTF-8 is refused before the first record. */
  constructor(bytes: Buffer, limits: SliceLimits, isJson: boolean) {
    this.bytes = bytes;
    this.limits = limits;
    if (isJson) this.fault = utf8Fault(bytes);
  }

  abstract next(): boolean;

  protected refuse(code: CodecFault['code'], at: number, reason: string): false {
    this.fault = { code, at, reason };
    return false;
  }

  protected tooLarge(at: number): false {
    return this.refuse('RECORD_TOO_LARGE', at, `a record is larger than ${this.limits.maxRecordBytes} bytes`);
  }

  /** Checks the value at `at` and makes it the record. It is walked hardly further than a record may be long. */
  protected takeValue(scanner: JsonScanner, at: number, end: number, outerDepth = 0): boolean {
    const limit = at + this.limits.maxRecordBytes;
    const reach = Math.min(end, limit + 1);
    const after = scanner.skipValue(this.bytes, at, reach, outerDepth);
    if (after > limit || (after < 0 && reach > limit && scanner.fault!.at === reach)) return this.tooLarge(at);
    if (after < 0) {
      this.fault = scanner.fault;
      return false;
    }
    this.start = at;
    this.end = after;
    return true;
  }
}

class ValueSlices extends Slices {
  constructor(bytes: Buffer, limits: SliceLimits) {
    super(bytes, limits, true);
  }

  next(): boolean {
    if (this.number > 0 || this.fault !== null) return false;
    this.number = 1;
    const at = skipSpace(this.bytes, 0, this.bytes.length);
    if (!this.takeValue(new JsonScanner(this.limits), at, this.bytes.length)) return false;
    const rest = skipSpace(this.bytes, this.end, this.bytes.length);
    if (rest === this.bytes.length) return true;
    this.fault = behindValue(rest);
    return false;
  }
}

class ArraySlices extends Slices {
  readonly #scanner: JsonScanner;
  #at: number;
  #isOver = false;

  constructor(bytes: Buffer, limits: SliceLimits, start: number) {
    super(bytes, limits, true);
    this.#scanner = new JsonScanner(limits);
    this.#at = start + 1;
  }

  next(): boolean {
    if (this.#isOver || this.fault !== null) return false;
    const { bytes } = this;
    let at = skipSpace(bytes, this.#at, bytes.length);
    if (bytes[at] === CLOSE_BRACKET) return this.#close(at);
    if (this.number > 0) {
      if (bytes[at] !== COMMA) return this.refuse('DECODE_INVALID', at, 'expected a comma or ] behind an element');
      at = skipSpace(bytes, at + 1, bytes.length);
    }
    this.number++;
    if (!this.takeValue(this.#scanner, at, bytes.length, 1)) return false;
    this.#at = this.end;
    return true;
  }

  #close(at: number): false {
    this.#isOver = true;
    const rest = skipSpace(this.bytes, at + 1, this.bytes.length);
    if (rest < this.bytes.length) this.fault = behindValue(rest);
    return false;
  }
}

class LineSlices extends Slices {
  readonly #scanner: JsonScanner | null;
  #next = 0;

  constructor(bytes: Buffer, limits: SliceLimits, scanner: JsonScanner | null) {
    super(bytes, limits, scanner !== null);
    this.#scanner = scanner;
  }

  next(): boolean {
    const { bytes } = this;
    while (this.fault === null && this.#next < bytes.length) {
      const from = this.#next;
      const found = bytes.indexOf(LINE_FEED, from);
      const end = found < 0 ? bytes.length : found;
      this.#next = end + 1;
      this.number++;
      if (this.#scanner === null) return this.#takeText(from, end);
      const at = skipSpace(bytes, from, end);
      if (at < end) return this.#takeJson(this.#scanner, at, end);
    }
    return false;
  }

  #takeText(from: number, lineEnd: number): boolean {
    const end = lineEnd > from && this.bytes[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd;
    if (end - from > this.limits.maxRecordBytes) return this.tooLarge(from);
    this.start = from;
    this.end = end;
    return true;
  }

  #takeJson(scanner: JsonScanner, at: number, end: number): boolean {
    if (!this.takeValue(scanner, at, end)) return false;
    const rest = skipSpace(this.bytes, this.end, end);
    if (rest === end) return true;
    this.fault = behindValue(rest);
    return false;
  }
}
