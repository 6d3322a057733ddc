import type { DataRecord, Headers, RecordBatch, TopicPartition } from '../api/index.ts';
import { sharedCompressor } from './compression.ts';
import { corrupt, readBatchHeader, verifyBatch, type BatchHeader } from './header.ts';
import { checkHeaders, findHeader, readHeaders } from './headers.ts';
import { BATCH_HEADER_BYTES, SMALLEST_RECORD_BYTES } from './layout.ts';
import { StoredRecord, type Decode } from './stored-record.ts';
import { readVarint, readVarlong, skipVarint } from './varint.ts';

const FIRST_RECORDS = 1024;
const MIN_RECORD_SIZE = SMALLEST_RECORD_BYTES - 1;

interface Run extends TopicPartition {
  readonly first: number;
  count: number;
  /** What the ids of its records begin with. */
  readonly idPrefix: string;
}

/** Bytes that records lie in, and the run they belong to. */
interface Segment {
  readonly bytes: Buffer;
  readonly partition: TopicPartition;
}

/**
 * An index over the records of stored batches: arrays of numbers that are kept from use to use, and no object per record. It holds on to the chunks
 * it was given until `clear`; what it returns is valid as long as those bytes are.
 */
export class RecordView implements RecordBatch {
  readonly #decode: Decode;
  #count = 0;
  #byteLength = 0;
  /** Tells the uses of the view apart, for views that point here. */
  #generation = 0;
  #capacity = FIRST_RECORDS;
  #segmentOf = new Int32Array(FIRST_RECORDS);
  #keyStarts = new Int32Array(FIRST_RECORDS);
  #keyLengths = new Int32Array(FIRST_RECORDS);
  #valueStarts = new Int32Array(FIRST_RECORDS);
  #valueLengths = new Int32Array(FIRST_RECORDS);
  #ends = new Int32Array(FIRST_RECORDS);
  #offsets = new Float64Array(FIRST_RECORDS);
  #timestamps = new Float64Array(FIRST_RECORDS);
  readonly #segments: Segment[] = [];
  readonly #runs: Run[] = [];
  readonly #records: (StoredRecord | undefined)[] = [];
  /** The segment of another view that was last taken over, to find it again without a search. */
  #lastView: RecordView | null = null;
  #lastGeneration = -1;
  #lastSegment = -1;

  /** `decode` is called on the first look at a record's value. */
  constructor(options: { decode: Decode }) {
    this.#decode = options.decode;
  }

  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  get runs(): readonly (TopicPartition & { readonly first: number; readonly count: number })[] {
    return this.#runs;
  }

  clear(): void {
    this.#truncate(0, 0, 0);
    this.#byteLength = 0;
    this.#generation++;
    this.#lastView = null;
  }

  /**
   * Adds the records of `chunk`, whole stored batches back to back, whose offset is at least `from`, and returns how many. Checksums are verified. Throws
   * `RECORD_CORRUPT` or `RECORD_UNSUPPORTED`, and has then added nothing.
   */
  addStored(partition: TopicPartition, chunk: Buffer, from: number): number {
    const [count, segments, byteLength] = [this.#count, this.#segments.length, this.#byteLength];
    let isWhole = false;
    try {
      for (let at = 0; at < chunk.length;) at = this.#addBatch(partition, chunk, at, from);
      isWhole = true;
    } finally {
      if (!isWhole) {
        this.#truncate(count, segments, this.#runs.length);
        this.#byteLength = byteLength;
      }
    }
    this.#extendRuns(partition, count);
    return this.#count - count;
  }

  /** Adds one record of another view: its place, not its bytes. What was decoded there stays decoded. */
  addFrom(view: RecordView, index: number): void {
    view.#assertIndex(index);
    const segment = view.#segmentOf[index]!;
    if (view !== this.#lastView || segment !== this.#lastSegment || view.#generation !== this.#lastGeneration) {
      this.#takeSegment(view, segment);
    }
    const at = this.#count;
    if (at === this.#capacity) this.#grow(at + 1);
    this.#segmentOf[at] = this.#segments.length - 1;
    this.#keyStarts[at] = view.#keyStarts[index]!;
    this.#keyLengths[at] = view.#keyLengths[index]!;
    this.#valueStarts[at] = view.#valueStarts[index]!;
    this.#valueLengths[at] = view.#valueLengths[index]!;
    this.#ends[at] = view.#ends[index]!;
    this.#offsets[at] = view.#offsets[index]!;
    this.#timestamps[at] = view.#timestamps[index]!;
    this.#byteLength += this.#payloadBytes(at);
    this.#count = at + 1;
    this.#runs[this.#runs.length - 1]!.count++;
    if (index < view.#records.length && view.#records[index] !== undefined) this.#records[at] = view.#records[index];
  }

  value(index: number): Uint8Array | null {
    this.#assertIndex(index);
    return this.#field(index, this.#valueStarts[index]!, this.#valueLengths[index]!);
  }

  valueLength(index: number): number {
    this.#assertIndex(index);
    return this.#valueLengths[index]!;
  }

  copyValue(index: number, target: Uint8Array, at: number): number {
    this.#assertIndex(index);
    const length = this.#valueLengths[index]!;
    if (length <= 0) return at;
    if (at < 0 || at + length > target.length) throw new RangeError('copying a value outside its target');
    const start = this.#valueStarts[index]!;
    this.#bytesOf(index).copy(target, at, start, start + length);
    return at + length;
  }

  key(index: number): Uint8Array | null {
    this.#assertIndex(index);
    return this.#field(index, this.#keyStarts[index]!, this.#keyLengths[index]!);
  }

  timestamp(index: number): number {
    this.#assertIndex(index);
    return this.#timestamps[index]!;
  }

  offset(index: number): number {
    this.#assertIndex(index);
    return this.#offsets[index]!;
  }

  id(index: number): string {
    this.#assertIndex(index);
    return `${this.#runOf(index).idPrefix}${this.#offsets[index]!}`;
  }

  header(index: number, name: string): Uint8Array | null | undefined {
    this.#assertIndex(index);
    return findHeader(this.#bytesOf(index), this.#headersStart(index), Buffer.from(name));
  }

  headers(index: number): Headers {
    this.#assertIndex(index);
    return readHeaders(this.#bytesOf(index), this.#headersStart(index));
  }

  record(index: number): DataRecord {
    this.#assertIndex(index);
    return (this.#records[index] ??= this.#createRecord(index));
  }

  #createRecord(index: number): StoredRecord {
    const segment = this.#segments[this.#segmentOf[index]!]!;
    const headersStart = this.#headersStart(index);
    return new StoredRecord({
      keyBytes: this.key(index),
      valueBytes: this.value(index),
      headerList: () => readHeaders(segment.bytes, headersStart),
      timestamp: this.#timestamps[index]!,
      topic: segment.partition.topic,
      partition: segment.partition.partition,
      offset: this.#offsets[index]!,
      decode: this.#decode,
    });
  }

  /** Returns the position after the batch. */
  #addBatch(partition: TopicPartition, chunk: Buffer, at: number, from: number): number {
    const header = readBatchHeader(chunk, at);
    const end = at + header.byteLength;
    const isBelow = header.baseOffset + header.lastOffsetDelta < from;
    if (isBelow && end <= chunk.length) return end;
    if (!verifyBatch(chunk, at)) throw corrupt(at, 'cut off, or its checksum is wrong');
    if (header.isControl || header.count === 0) return end;
    if (header.compression === 'none') {
      this.#holdSegment(partition, chunk);
      this.#index(header, chunk, at + BATCH_HEADER_BYTES, end, from, at);
    } else {
      const records = sharedCompressor().decompress(header.compression, chunk.subarray(at + BATCH_HEADER_BYTES, end));
      this.#holdSegment(partition, records);
      this.#index(header, records, 0, records.length, from, at);
    }
    return end;
  }

  /**
   * Walks the records between `at` and `end`. Every length is held against the record's end and that against the batch's, so that later accesses
   * need no checks; reads beyond the bytes on the way there give zeros, never faults.
   */
  #index(header: BatchHeader, bytes: Buffer, at: number, end: number, from: number, batchAt: number): void {
    const { baseOffset, baseTimestamp, lastOffsetDelta } = header;
    if (header.count > (end - at) / SMALLEST_RECORD_BYTES) throw corrupt(batchAt, 'more records than its bytes hold');
    if (this.#count + header.count > this.#capacity) this.#grow(this.#count + header.count);
    const { keyStarts, keyLengths, valueStarts, valueLengths, ends, offsets, timestamps } = this.#arrays();
    const firstIndex = this.#count;
    let index = firstIndex;
    let payload = 0;
    let previousDelta = -1;
    for (let record = 0; record < header.count; record++) {
      const size = readVarint(bytes, at);
      at = skipVarint(bytes, at);
      if (at < 0 || size < MIN_RECORD_SIZE || size > end - at)
        throw corrupt(batchAt, `record ${record} has a wrong size`);
      const next = at + size;
      // Behind the attributes, which nothing uses.
      const timestampAt = at + 1;
      at = skipVarint(bytes, timestampAt);
      if (at < 0) throw corrupt(batchAt, `record ${record} has a wrong timestamp`);
      const delta = readVarint(bytes, at);
      at = skipVarint(bytes, at);
      if (at < 0 || delta <= previousDelta || delta > lastOffsetDelta) {
        throw corrupt(batchAt, `record ${record} has a wrong offset`);
      }
      previousDelta = delta;
      const keyLength = readVarint(bytes, at);
      const keyStart = skipVarint(bytes, at);
      if (keyStart < 0 || keyLength < -1 || keyLength > next - keyStart) {
        throw corrupt(batchAt, `record ${record} has a wrong key length`);
      }
      at = keyLength > 0 ? keyStart + keyLength : keyStart;
      const valueLength = readVarint(bytes, at);
      const valueStart = skipVarint(bytes, at);
      if (valueStart < 0 || valueLength < -1 || valueLength > next - valueStart) {
        throw corrupt(batchAt, `record ${record} has a wrong value length`);
      }
      at = valueLength > 0 ? valueStart + valueLength : valueStart;
      // Almost no record has headers: one byte that says so ends it.
      const isBare = at === next - 1 && bytes[at] === 0;
      if (!isBare && checkHeaders(bytes, at, next) !== next) {
        throw corrupt(batchAt, `record ${record} has wrong headers`);
      }
      const headerBytes = next - at - 1;
      at = next;
      if (baseOffset + delta < from) continue;
      keyStarts[index] = keyStart;
      keyLengths[index] = keyLength;
      valueStarts[index] = valueStart;
      valueLengths[index] = valueLength;
      ends[index] = next;
      offsets[index] = baseOffset + delta;
      timestamps[index] = baseTimestamp + readVarlong(bytes, timestampAt);
      payload += (keyLength > 0 ? keyLength : 0) + (valueLength > 0 ? valueLength : 0) + headerBytes;
      index++;
    }
    if (at !== end) throw corrupt(batchAt, 'bytes are left behind its last record');
    if (header.isAppendTime) timestamps.fill(header.maxTimestamp, firstIndex, index);
    this.#segmentOf.fill(this.#segments.length - 1, firstIndex, index);
    this.#count = index;
    this.#byteLength += payload;
  }
}
