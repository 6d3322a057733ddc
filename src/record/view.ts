import type { DataRecord, Headers, RecordBatch, StoredBatch, TopicPartition } from '../api/index.ts';
import { sharedCompressor } from './compression.ts';
import { corrupt, readBatchHeader, verifyBatch } from './header.ts';
import { findHeader, readHeaders } from './headers.ts';
import { indexRecords } from './index-records.ts';
import { inflatedBuffers } from './inflated-buffers.ts';
import { BATCH_HEADER_BYTES } from './layout.ts';
import { RecordPlaces } from './record-places.ts';
import { SealedChunk } from './sealed-chunk.ts';
import { StoredRecord, type Decode } from './stored-record.ts';

interface Run extends TopicPartition {
  readonly first: number;
  count: number;
  /** What the ids of its records begin with. */
  readonly idPrefix: string;
}

/** Bytes that records lie in, and the partition they belong to. */
interface Segment {
  readonly bytes: Buffer;
  readonly partition: TopicPartition;
}

/**
 * An index over the records of stored batches. It holds on to the chunks it was given until `clear`; what it returns is valid as long as those
 * bytes are.
 */
export class RecordView implements RecordBatch {
  readonly #decode: Decode;
  readonly #places = new RecordPlaces();
  #byteLength = 0;
  /** Tells the uses of the view apart, for views that point here. */
  #generation = 0;
  readonly #segments: Segment[] = [];
  /** What batches were inflated into, here and for nobody else. */
  readonly #inflated: Buffer[] = [];
  readonly #runs: Run[] = [];
  /** Those that somebody asked for. */
  readonly #records: (StoredRecord | undefined)[] = [];
  /** The segment of another view that is our last one, to take over its next record without a search. */
  #lastView: RecordView | null = null;
  #lastGeneration = -1;
  #lastSegment = -1;
  /** All that is in the view, as long as nobody looked into a record. */
  #sealed: SealedChunk | null = null;

  /** `decode` is called on the first look at a record's value. */
  constructor(options: { decode: Decode }) {
    this.#decode = options.decode;
  }

  get count(): number {
    return this.#sealed?.count ?? this.#places.count;
  }

  get sealed(): readonly StoredBatch[] | null {
    return this.#sealed?.batches ?? null;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  /** Bytes that it holds beside its chunks. */
  get inflatedBytes(): number {
    let bytes = 0;
    for (const { length } of this.#inflated) bytes += length;
    return bytes;
  }

  get runs(): readonly (TopicPartition & { readonly first: number; readonly count: number })[] {
    return this.#runs;
  }

  clear(): void {
    this.#places.clear();
    this.#byteLength = 0;
    this.#generation++;
    this.#segments.length = 0;
    for (const bytes of this.#inflated.splice(0)) inflatedBuffers.give(bytes);
    this.#runs.length = 0;
    this.#records.length = 0;
    this.#lastView = null;
    this.#sealed = null;
  }

  /** As `addStored` into an empty view, but opens no batch before somebody looks into a record, if all of them may pass as they are. */
  addSealed(partition: TopicPartition, chunk: Buffer, from: number): number {
    const sealed = SealedChunk.of(partition, chunk, from);
    if (sealed === null) return this.addStored(partition, chunk, from);
    this.#sealed = sealed;
    this.#byteLength = chunk.length;
    this.#runFor(partition, 0).count = sealed.count;
    return sealed.count;
  }

  /**
   * Adds the records of `chunk`, whole stored batches back to back, whose offset is at least `from`, and returns how many. Checksums are verified. Throws
   * `RECORD_CORRUPT` or `RECORD_UNSUPPORTED`, and has then added nothing.
   */
  addStored(partition: TopicPartition, chunk: Buffer, from: number): number {
    const [first, segments, byteLength] = [this.count, this.#segments.length, this.#byteLength];
    let isWhole = false;
    try {
      for (let at = 0; at < chunk.length;) at = this.#addBatch(partition, chunk, at, from);
      isWhole = true;
    } finally {
      if (!isWhole) {
        this.#places.count = first;
        this.#segments.length = segments;
        this.#byteLength = byteLength;
      }
    }
    const added = this.count - first;
    if (added > 0) this.#runFor(partition, first).count += added;
    return added;
  }

  /** Adds one record of another view: its place, not its bytes. What was decoded there stays decoded. */
  addFrom(view: RecordView, index: number): void {
    view.#assertIndex(index);
    const segment = view.#places.segmentOf[index]!;
    if (view !== this.#lastView || segment !== this.#lastSegment || view.#generation !== this.#lastGeneration) {
      this.#takeSegment(view, segment);
    }
    const at = this.#places.count;
    this.#places.addFrom(view.#places, index, this.#segments.length - 1);
    this.#byteLength += this.#places.payloadBytes(at);
    this.#runs[this.#runs.length - 1]!.count++;
    if (index < view.#records.length && view.#records[index] !== undefined) this.#records[at] = view.#records[index];
  }

  value(index: number): Uint8Array | null {
    this.#assertIndex(index);
    return this.#field(index, this.#places.valueStarts[index]!, this.#places.valueLengths[index]!);
  }

  /** The bytes among which the value lies, from `valueStart` on: no view of its own for each record. */
  bytesAround(index: number): Buffer {
    this.#assertIndex(index);
    return this.#bytesOf(index);
  }

  valueStart(index: number): number {
    this.#assertIndex(index);
    return this.#places.valueStarts[index]!;
  }

  /** -1: null. */
  valueLength(index: number): number {
    this.#assertIndex(index);
    return this.#places.valueLengths[index]!;
  }

  copyValue(index: number, target: Uint8Array, at: number): number {
    this.#assertIndex(index);
    const length = this.#places.valueLengths[index]!;
    if (length <= 0) return at;
    if (at < 0 || at + length > target.length) throw new RangeError('copying a value outside its target');
    const start = this.#places.valueStarts[index]!;
    this.#bytesOf(index).copy(target, at, start, start + length);
    return at + length;
  }

  key(index: number): Uint8Array | null {
    this.#assertIndex(index);
    return this.#field(index, this.#places.keyStarts[index]!, this.#places.keyLengths[index]!);
  }

  timestamp(index: number): number {
    this.#assertIndex(index);
    return this.#places.timestamps[index]!;
  }

  /** As `timestamp`, but of a stored batch that nobody looked into the time of the first record: it stays as it is, for somebody may be sending it. */
  baseTimestamp(index: number): number {
    return this.#sealed === null ? this.timestamp(index) : this.#sealed.baseTimestamp(index);
  }

  offset(index: number): number {
    if (this.#sealed !== null) return this.#sealed.offset(index);
    this.#assertIndex(index);
    return this.#places.offsets[index]!;
  }

  id(index: number): string {
    this.#assertIndex(index);
    return `${this.#runOf(index).idPrefix}${this.#places.offsets[index]!}`;
  }

  header(index: number, name: string): Uint8Array | null | undefined {
    this.#assertIndex(index);
    return findHeader(this.#bytesOf(index), this.#places.headersStart(index), Buffer.from(name));
  }

  headers(index: number): Headers {
    this.#assertIndex(index);
    return readHeaders(this.#bytesOf(index), this.#places.headersStart(index));
  }

  record(index: number): DataRecord {
    this.#assertIndex(index);
    return (this.#records[index] ??= this.#createRecord(index));
  }

  #createRecord(index: number): StoredRecord {
    const segment = this.#segments[this.#places.segmentOf[index]!]!;
    const headersStart = this.#places.headersStart(index);
    return new StoredRecord({
      keyBytes: this.key(index),
      valueBytes: this.value(index),
      headerList: () => readHeaders(segment.bytes, headersStart),
      timestamp: this.#places.timestamps[index]!,
      topic: segment.partition.topic,
      partition: segment.partition.partition,
      offset: this.#places.offsets[index]!,
      decode: this.#decode,
    });
  }

  /** Returns the position after the batch. */
  #addBatch(partition: TopicPartition, chunk: Buffer, batchAt: number, from: number): number {
    const header = readBatchHeader(chunk, batchAt);
    const end = batchAt + header.byteLength;
    const isBelow = header.baseOffset + header.lastOffsetDelta < from;
    if (isBelow && end <= chunk.length) return end;
    if (!verifyBatch(chunk, batchAt)) throw corrupt(batchAt, 'cut off, or its checksum is wrong');
    if (header.isControl || header.count === 0) return end;
    const isPlain = header.compression === 'none';
    const stored = batchAt + BATCH_HEADER_BYTES;
    const bytes = isPlain
      ? chunk
      : sharedCompressor().decompress(header.compression, chunk.subarray(stored, end), inflatedBuffers);
    if (inflatedBuffers.owns(bytes, chunk)) this.#inflated.push(bytes);
    const segment = this.#holdSegment(partition, bytes);
    const [at, bytesEnd] = isPlain ? [stored, end] : [0, bytes.length];
    this.#byteLength += indexRecords(this.#places, { header, bytes, at, end: bytesEnd, from, segment, batchAt });
    return end;
  }

  /** Batches of a chunk without compression share a segment. */
  #holdSegment(partition: TopicPartition, bytes: Buffer): number {
    this.#lastView = null;
    const last = this.#segments.at(-1);
    if (last?.bytes !== bytes || last.partition !== partition) this.#segments.push({ bytes, partition });
    return this.#segments.length - 1;
  }

  /** Makes the segment of another view our last one, and its partition's run the last run. */
  #takeSegment(view: RecordView, index: number): void {
    const segment = view.#segments[index]!;
    if (this.#segments.at(-1) !== segment) this.#segments.push(segment);
    this.#runFor(segment.partition, this.count);
    this.#lastView = view;
    this.#lastGeneration = view.#generation;
    this.#lastSegment = index;
  }

  /** The last run if it is of this partition, else a new one from `first` on. */
  #runFor({ topic, partition, incarnation }: TopicPartition, first: number): Run {
    const last = this.#runs.at(-1);
    if (last?.partition === partition && last.topic === topic && last.incarnation === incarnation) return last;
    const run = { topic, partition, incarnation, first, count: 0, idPrefix: `${topic}+${incarnation}+${partition}+` };
    this.#runs.push(run);
    return run;
  }

  #runOf(index: number): Run {
    let low = 0;
    for (let high = this.#runs.length - 1; low < high;) {
      const middle = (low + high + 1) >>> 1;
      if (this.#runs[middle]!.first <= index) low = middle;
      else high = middle - 1;
    }
    return this.#runs[low]!;
  }

  #bytesOf(index: number): Buffer {
    return this.#segments[this.#places.segmentOf[index]!]!.bytes;
  }

  #field(index: number, start: number, length: number): Uint8Array | null {
    return length < 0 ? null : this.#bytesOf(index).subarray(start, start + length);
  }

  // Sealed batches have no places yet: the check that every access makes is where they are opened, at no cost for others.
  #assertIndex(index: number): void {
    if (index >>> 0 === index && index < this.#places.count) return;
    if (this.#sealed === null || index >>> 0 !== index || index >= this.#sealed.count)
      throw new RangeError(`record ${index} of ${this.count}`);
    this.#open(this.#sealed);
  }

  #open(sealed: SealedChunk): void {
    this.clear();
    sealed.restore();
    this.addStored(sealed.partition, sealed.chunk, sealed.from);
  }
}
