import { behindValue } from './decode.ts';
import type { JsonScanner } from './json-scanner.ts';
import { skipSpace } from './json-tokens.ts';
import type { CodecFault } from './limits.ts';
import { utf8Fault } from './utf8.ts';

export interface SliceOptions {
  /** May serve others in between. */
  readonly scanner: JsonScanner;
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
  readonly fault: CodecFault | null;
  next(): boolean;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** The elements of a JSON array, or a value that is none as the only record. */
export function jsonSlices(bytes: Buffer, options: SliceOptions): RecordSlices {
  const start = skipSpace(bytes, 0, bytes.length);
  return bytes[start] === OPEN_BRACKET ? new ArraySlices(bytes, options, start) : new ValueSlices(bytes, options);
}

/** One JSON value a line; empty lines are passed over, a missing last line feed is forgiven. */
export function jsonLineSlices(bytes: Buffer, options: SliceOptions): RecordSlices {
  return new JsonLineSlices(bytes, options);
}

/** Lines of anything, without their line feed or carriage return and line feed; empty lines are records too. */
export function lineSlices(bytes: Buffer, options: SliceOptions): RecordSlices {
  return new LineSlices(bytes, options);
}

abstract class Slices implements RecordSlices {
  start = 0;
  end = 0;
  fault: CodecFault | null = null;
  protected readonly bytes: Buffer;
  protected readonly options: SliceOptions;

  /** `isJson`: what is no UTF-8 is refused before the first record. */
  constructor(bytes: Buffer, options: SliceOptions, isJson: boolean) {
    this.bytes = bytes;
    this.options = options;
    if (!isJson) return;
    this.fault = utf8Fault(bytes);
    options.scanner.open(bytes);
  }

  abstract next(): boolean;

  protected refuse(code: CodecFault['code'], at: number, reason: string): false {
    this.fault = { code, at, reason };
    return false;
  }

  protected tooLarge(at: number): false {
    return this.refuse('RECORD_TOO_LARGE', at, `a record is larger than ${this.options.maxRecordBytes} bytes`);
  }

  /** Checks the value at `at` and makes it the record. It is walked hardly further than a record may be long. */
  protected takeValue(at: number, end: number, outerDepth = 0): boolean {
    const { scanner, maxRecordBytes } = this.options;
    const limit = at + maxRecordBytes;
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
  #isOver = false;

  constructor(bytes: Buffer, options: SliceOptions) {
    super(bytes, options, true);
  }

  next(): boolean {
    if (this.#isOver || this.fault !== null) return false;
    this.#isOver = true;
    const at = skipSpace(this.bytes, 0, this.bytes.length);
    if (!this.takeValue(at, this.bytes.length)) return false;
    const rest = skipSpace(this.bytes, this.end, this.bytes.length);
    if (rest === this.bytes.length) return true;
    this.fault = behindValue(rest);
    return false;
  }
}

class ArraySlices extends Slices {
  #at: number;
  #isFirst = true;
  #isOver = false;

  constructor(bytes: Buffer, options: SliceOptions, start: number) {
    super(bytes, options, true);
    this.#at = start + 1;
  }

  next(): boolean {
    if (this.#isOver || this.fault !== null) return false;
    const { bytes } = this;
    let at = skipSpace(bytes, this.#at, bytes.length);
    if (bytes[at] === CLOSE_BRACKET) return this.#close(at);
    if (!this.#isFirst) {
      if (bytes[at] !== COMMA) return this.refuse('DECODE_INVALID', at, 'expected a comma or ] behind an element');
      at = skipSpace(bytes, at + 1, bytes.length);
    }
    this.#isFirst = false;
    if (!this.takeValue(at, bytes.length, 1)) return false;
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

class JsonLineSlices extends Slices {
  #at = 0;

  constructor(bytes: Buffer, options: SliceOptions) {
    super(bytes, options, true);
  }

  next(): boolean {
    const { bytes } = this;
    const at = skipSpace(bytes, this.#at, bytes.length);
    if (this.fault !== null || at === bytes.length) return false;
    const end = lineEnd(bytes, at);
    if (!this.takeValue(at, end)) return false;
    const rest = skipSpace(bytes, this.end, end);
    this.#at = rest;
    if (rest === end) return true;
    this.fault = behindValue(rest);
    return false;
  }
}

class LineSlices extends Slices {
  #at = 0;

  constructor(bytes: Buffer, options: SliceOptions) {
    super(bytes, options, false);
  }

  next(): boolean {
    const { bytes } = this;
    const from = this.#at;
    if (this.fault !== null || from >= bytes.length) return false;
    const feedAt = lineEnd(bytes, from);
    const end = feedAt > from && bytes[feedAt - 1] === CARRIAGE_RETURN ? feedAt - 1 : feedAt;
    if (end - from > this.options.maxRecordBytes) return this.tooLarge(from);
    this.#at = feedAt + 1;
    this.start = from;
    this.end = end;
    return true;
  }
}

/** Where the line feed is, or the end of the bytes. */
function lineEnd(bytes: Buffer, at: number): number {
  const found = bytes.indexOf(LINE_FEED, at);
  return found < 0 ? bytes.length : found;
}
