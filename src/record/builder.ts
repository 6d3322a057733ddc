import { SluiceError, type BatchBuilder, type Headers } from '../api/index.ts';
import type { PooledBuffer } from './buffer-pool.ts';
import { readHeaders, writeHeaders, measureHeaders, type MeasuredHeaders } from './headers.ts';
import { BATCH_HEADER_BYTES } from './layout.ts';
import {
  putVarint,
  putVarlong,
  readVarint,
  readVarlong,
  skipVarint,
  varintSize,
  varlongSize,
  zigzagLong,
} from './varint.ts';

/** Far beyond any calendar, and what zigzag doubles hold exactly. */
const LATEST_TIMESTAMP_MS = 2 ** 52 - 1;
/** Below it a zigzag form is a positive 32-bit integer. */
const SMALL_DELTA = 2 ** 30;
/** Zigzag forms of -1 and 0. */
const NULL = 1;
const NO_HEADERS = 0;
/** Below so many bytes a loop is quicker than a call. */
const SMALL_COPY_BYTES = 48;
/** So many numbers V8 keeps within its heap: requests with a record each have a builder each. */
const FIRST_RECORDS = 16;
/** Until then the room for starts grows by eight times. */
const MANY_RECORDS = 1024;

interface SharedHeaders {
  readonly headers: Headers;
  readonly payloadBytes: number;
  /** Their number first. */
  readonly bytes: Uint8Array;
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- called on any Uint8Array, so that a slice needs no view object
const copyBytes = (Buffer.prototype as Buffer).copy;

/**
 * Writes records in Kafka's layout behind the room for the batch header, so that the very bytes can be sealed, stored and sent. The record
 * limit counts key, value, and headers with their lengths, for a hundred thousand of those are no trifle. Timestamps are whole milliseconds from 0 to 2^52 − 1;
 * others throw a RangeError.
 */
export class RecordBatchBuilder implements BatchBuilder {
  readonly #buffer: PooledBuffer;
  readonly #bytes: Buffer;
  readonly #maxRecordBytes: number;
  readonly #now: () => number;
  /** Where each record begins. */
  #starts = new Int32Array(FIRST_RECORDS);
  #count = 0;
  #end = BATCH_HEADER_BYTES;
  /** Bytes that may be written; 0 once it is sealed or released, so that the next append notices. */
  #capacity: number;
  #isReleased = false;
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  /** Of the last slice that had any. */
  #shared: SharedHeaders | null = null;
  /** After a rollback the largest timestamp is unknown until somebody asks. */
  #isMaxStale = false;

  /** `maxRecordBytes` is at most 512 MiB. `now` gives the timestamp of records without one. */
  constructor(buffer: PooledBuffer, options: { maxRecordBytes: number; now: () => number }) {
    this.#buffer = buffer;
    this.#bytes = buffer.bytes;
    this.#capacity = buffer.bytes.length;
    this.#maxRecordBytes = Math.min(options.maxRecordBytes, 2 ** 29);
    this.#now = options.now;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the records; a sealed batch without compression is `BATCH_HEADER_BYTES` longer. */
  get byteLength(): number {
    return this.#end - BATCH_HEADER_BYTES;
  }

  /** Header room and records, up to the end of what was written. Valid until the release. */
  get bytes(): Buffer {
    this.#assertHeld();
    return this.#bytes.subarray(0, this.#end);
  }

  /** The batch up to `end`, where its compressed records end. No record can be read or appended any more before a `reset`. */
  seal(end: number): Buffer {
    this.#assertHeld();
    this.#capacity = 0;
    return this.#bytes.subarray(0, end);
  }

  /** Of the first record; 0 without records. */
  get baseTimestamp(): number {
    return this.#baseTimestamp;
  }

  get maxTimestamp(): number {
    if (this.#isMaxStale) {
      this.#isMaxStale = false;
      this.#maxTimestamp = 0;
      for (let index = 0; index < this.#count; index++) {
        this.#maxTimestamp = Math.max(this.#maxTimestamp, this.timestampAt(index));
      }
    }
    return this.#maxTimestamp;
  }

  appendSlice(source: Uint8Array, start: number, end: number, timestampMs?: number, headers?: Headers): boolean {
    const length = end - start;
    if (start < 0 || length < 0 || end > source.length) throw new RangeError('appending a slice outside its bytes');
    const shared = headers === undefined ? null : this.#encoded(headers);
    const payload = shared === null ? length : length + shared.payloadBytes;
    if (payload > this.#maxRecordBytes) throw tooLarge(payload, this.#maxRecordBytes);
    const timestamp = this.#checkTimestamp(timestampMs ?? this.#now());
    const count = this.#count;
    const delta = count === 0 ? 0 : timestamp - this.#baseTimestamp;
    if (delta >= SMALL_DELTA || delta <= -SMALL_DELTA)
      return this.append(source.subarray(start, end), null, timestamp, headers);
    const zigzagDelta = (delta << 1) ^ (delta >> 31);
    // Attributes and the absent key take a byte each, and so does the number of headers without any.
    const size =
      2 +
      varintSize(zigzagDelta) +
      varintSize(count << 1) +
      varintSize(length << 1) +
      length +
      (shared === null ? 1 : shared.bytes.length);
    const first = this.#end;
    if (first + varintSize(size << 1) + size > this.#capacity) return this.#full();
    const out = this.#bytes;
    let at = putVarint(out, first, size << 1);
    out[at++] = 0;
    at = putVarint(out, at, zigzagDelta);
    at = putVarint(out, at, count << 1);
    out[at++] = NULL;
    at = putVarint(out, at, length << 1);
    if (length < SMALL_COPY_BYTES) for (let from = start; from < end; from++) out[at++] = source[from]!;
    else at += copyBytes.call(source, out, at, start, end);
    if (shared === null) out[at++] = NO_HEADERS;
    else {
      const { bytes } = shared;
      for (let from = 0; from < bytes.length;) out[at++] = bytes[from++]!;
    }
    this.#added(first, at, timestamp);
    return true;
  }

  append(
    value: Uint8Array | null,
    key: Uint8Array | null = null,
    timestampMs: number = this.#now(),
    headers?: Headers,
  ): boolean {
    const measured = headers === undefined ? null : measureHeaders(headers);
    const payload = (key?.length ?? 0) + (value?.length ?? 0) + (measured?.payloadBytes ?? 0);
    if (payload > this.#maxRecordBytes) throw tooLarge(payload, this.#maxRecordBytes);
    const timestamp = this.#checkTimestamp(timestampMs);
    const bodyBytes = fieldBytes(key) + fieldBytes(value) + (measured?.byteLength ?? 1);
    const first = this.#end;
    let at = this.#putPrefix(timestamp, bodyBytes);
    if (at < 0) return this.#full();
    at = putField(this.#bytes, at, key);
    at = putField(this.#bytes, at, value);
    at = putHeaders(this.#bytes, at, measured);
    this.#added(first, at, timestamp);
    return true;
  }

  /** Copies record `index` of `from` to the end, re-stamping its deltas; false when it does not fit. */
  appendRecord(from: RecordBatchBuilder, index: number): boolean {
    from.#assertHeld();
    from.#assertIndex(index);
    const timestamp = from.timestampAt(index);
    const bodyStart = from.#bodyOf(index);
    const bodyEnd = from.#endOf(index);
    const first = this.#end;
    const at = this.#putPrefix(timestamp, bodyEnd - bodyStart);
    if (at < 0) return this.#full();
    from.#bytes.copy(this.#bytes, at, bodyStart, bodyEnd);
    this.#added(first, at + bodyEnd - bodyStart, timestamp);
    return true;
  }

  /** Copies all records of `from`; false, and nothing copied, when they do not fit. */
  appendAll(from: RecordBatchBuilder): boolean {
    if (this.#count === 0) return this.#copyAll(from);
    const mark = this.mark();
    for (let index = 0; index < from.#count; index++) {
      if (!this.appendRecord(from, index)) {
        this.rollback(mark);
        return false;
      }
    }
    return true;
  }

  keyAt(index: number): Uint8Array | null {
    this.#assertIndex(index);
    return fieldAt(this.#bytes, this.#bodyOf(index));
  }

  valueAt(index: number): Uint8Array | null {
    this.#assertIndex(index);
    return fieldAt(this.#bytes, afterField(this.#bytes, this.#bodyOf(index)));
  }

  timestampAt(index: number): number {
    this.#assertIndex(index);
    // Behind the size and the attributes.
    return this.#baseTimestamp + readVarlong(this.#bytes, skipVarint(this.#bytes, this.#starts[index]!) + 1);
  }

  headersAt(index: number): Headers {
    this.#assertIndex(index);
    const valueAt = afterField(this.#bytes, this.#bodyOf(index));
    return readHeaders(this.#bytes, afterField(this.#bytes, valueAt));
  }

  /** Bytes that the record takes in the batch. */
  sizeAt(index: number): number {
    this.#assertIndex(index);
    return this.#endOf(index) - this.#starts[index]!;
  }

  /** Bytes of the record that the limit counts. */
  payloadAt(index: number): number {
    this.#assertIndex(index);
    const keyAt = this.#bodyOf(index);
    const valueAt = afterField(this.#bytes, keyAt);
    const headersAt = skipVarint(this.#bytes, afterField(this.#bytes, valueAt));
    const keyBytes = Math.max(0, readVarint(this.#bytes, keyAt));
    return keyBytes + Math.max(0, readVarint(this.#bytes, valueAt)) + this.#endOf(index) - headersAt;
  }

  mark(): number {
    return this.#count;
  }

  rollback(mark: number): void {
    if (mark < 0 || mark > this.#count) throw new RangeError(`rolling back to ${mark} of ${this.#count} records`);
    if (mark === this.#count) return;
    this.#end = this.#starts[mark]!;
    this.#count = mark;
    this.#isMaxStale = true;
    if (mark === 0) this.reset();
  }

  /** Forgets all records; the buffer stays. */
  reset(): void {
    this.#capacity = this.#isReleased ? 0 : this.#bytes.length;
    this.#count = 0;
    this.#end = BATCH_HEADER_BYTES;
    this.#baseTimestamp = 0;
    this.#maxTimestamp = 0;
    this.#isMaxStale = false;
  }

  release(): void {
    this.#buffer.release();
    this.#isReleased = true;
    this.reset();
  }

  #encoded(headers: Headers): SharedHeaders {
    if (this.#shared?.headers === headers) return this.#shared;
    const measured = measureHeaders(headers);
    const bytes = Buffer.alloc(measured.byteLength);
    writeHeaders(bytes, 0, measured);
    this.#shared = { headers, payloadBytes: measured.payloadBytes, bytes };
    return this.#shared;
  }

  /** Size, attributes and deltas of a record whose key, value and headers take `bodyBytes`; -1 when it does not fit. */
  #putPrefix(timestamp: number, bodyBytes: number): number {
    const delta = zigzagLong(this.#count === 0 ? 0 : timestamp - this.#baseTimestamp);
    const offsetDelta = this.#count << 1;
    const size = 1 + varlongSize(delta) + varintSize(offsetDelta) + bodyBytes;
    if (this.#end + varintSize(size << 1) + size > this.#capacity) return -1;
    let at = putVarint(this.#bytes, this.#end, size << 1);
    this.#bytes[at++] = 0;
    at = putVarlong(this.#bytes, at, delta);
    return putVarint(this.#bytes, at, offsetDelta);
  }

  #added(first: number, end: number, timestamp: number): void {
    if (this.#count === this.#starts.length) this.#starts = enlarged(this.#starts);
    if (this.#count === 0) {
      this.#baseTimestamp = timestamp;
      this.#maxTimestamp = timestamp;
    } else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    this.#starts[this.#count++] = first;
    this.#end = end;
  }

  #copyAll(from: RecordBatchBuilder): boolean {
    from.#assertHeld();
    if (from.#end > this.#capacity) return this.#full();
    from.#bytes.copy(this.#bytes, BATCH_HEADER_BYTES, BATCH_HEADER_BYTES, from.#end);
    while (this.#starts.length < from.#count) this.#starts = enlarged(this.#starts);
    this.#starts.set(from.#starts.subarray(0, from.#count));
    this.#count = from.#count;
    this.#end = from.#end;
    this.#baseTimestamp = from.#baseTimestamp;
    this.#maxTimestamp = from.maxTimestamp;
    return true;
  }

  #checkTimestamp(timestamp: number): number {
    if (timestamp >= 0 && timestamp <= LATEST_TIMESTAMP_MS) return Math.floor(timestamp);
    throw new RangeError(`appending a record with the timestamp ${timestamp}`);
  }

  /** Where the key's length stands. */
  #bodyOf(index: number): number {
    const timestampAt = skipVarint(this.#bytes, this.#starts[index]!) + 1;
    return skipVarint(this.#bytes, skipVarint(this.#bytes, timestampAt));
  }

  #endOf(index: number): number {
    return index + 1 < this.#count ? this.#starts[index + 1]! : this.#end;
  }

  #full(): false {
    this.#assertHeld();
    return false;
  }

  // The bytes of a released buffer are somebody else's, those of a sealed one are no records.
  #assertHeld(): void {
    if (this.#capacity === 0) throw new Error('using a batch builder after it was sealed or released');
  }

  #assertIndex(index: number): void {
    this.#assertHeld();
    if (index < 0 || index >= this.#count) throw new RangeError(`record ${index} of ${this.#count}`);
  }
}

function fieldBytes(field: Uint8Array | null): number {
  return field === null ? 1 : varintSize(field.length << 1) + field.length;
}

function putField(out: Buffer, at: number, field: Uint8Array | null): number {
  if (field === null) {
    out[at] = NULL;
    return at + 1;
  }
  const start = putVarint(out, at, field.length << 1);
  out.set(field, start);
  return start + field.length;
}

function putHeaders(out: Buffer, at: number, headers: MeasuredHeaders | null): number {
  if (headers !== null) return writeHeaders(out, at, headers);
  out[at] = NO_HEADERS;
  return at + 1;
}

function fieldAt(bytes: Buffer, at: number): Uint8Array | null {
  const length = readVarint(bytes, at);
  const start = skipVarint(bytes, at);
  return length < 0 ? null : bytes.subarray(start, start + length);
}

function afterField(bytes: Buffer, at: number): number {
  return skipVarint(bytes, at) + Math.max(0, readVarint(bytes, at));
}

function enlarged(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * (array.length < MANY_RECORDS ? 8 : 2));
  larger.set(array);
  return larger;
}

function tooLarge(bytes: number, limit: number): SluiceError {
  return new SluiceError('RECORD_TOO_LARGE', `appending a record of ${bytes} bytes: the record limit is ${limit}`);
}
