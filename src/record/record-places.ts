const FIRST_RECORDS = 1024;
/** 2.5 MB of arrays: more are not kept for the next use, or one batch of tiny records would hold them for ever. */
const MOST_KEPT_RECORDS = 64 * 1024;

/**
 * Where the fields of records lie in their segments: arrays of numbers that are kept from use to use, and no object per record. Entry `index` of each
 * array belongs to the same record; entries from `count` on mean nothing.
 */
export class RecordPlaces {
  count = 0;
  segmentOf = new Int32Array(FIRST_RECORDS);
  keyStarts = new Int32Array(FIRST_RECORDS);
  /** -1: null. */
  keyLengths = new Int32Array(FIRST_RECORDS);
  valueStarts = new Int32Array(FIRST_RECORDS);
  /** -1: null. */
  valueLengths = new Int32Array(FIRST_RECORDS);
  /** Where the record ends; its headers end there too. */
  ends = new Int32Array(FIRST_RECORDS);
  offsets = new Float64Array(FIRST_RECORDS);
  timestamps = new Float64Array(FIRST_RECORDS);

  /** Where the number of headers stands. */
  headersStart(index: number): number {
    const length = this.valueLengths[index]!;
    return length > 0 ? this.valueStarts[index]! + length : this.valueStarts[index]!;
  }

  /** Bytes of key, value and headers. */
  payloadBytes(index: number): number {
    // Between the value's start and the record's end stand the value, the number of headers (a byte) and the headers.
    const behindKey = this.ends[index]! - this.valueStarts[index]! - 1;
    const keyLength = this.keyLengths[index]!;
    return keyLength > 0 ? behindKey + keyLength : behindKey;
  }

  /** Makes room for so many records altogether. */
  reserve(records: number): void {
    if (records <= this.offsets.length) return;
    const capacity = Math.max(records, this.offsets.length * 2);
    this.segmentOf = larger(this.segmentOf, capacity);
    this.keyStarts = larger(this.keyStarts, capacity);
    this.keyLengths = larger(this.keyLengths, capacity);
    this.valueStarts = larger(this.valueStarts, capacity);
    this.valueLengths = larger(this.valueLengths, capacity);
    this.ends = larger(this.ends, capacity);
    this.offsets = largerDoubles(this.offsets, capacity);
    this.timestamps = largerDoubles(this.timestamps, capacity);
  }

  /** Adds place `index` of `from`, of a record that lies in `segment` here. */
  addFrom(from: RecordPlaces, index: number, segment: number): void {
    const at = this.count;
    if (at === this.offsets.length) this.reserve(at + 1);
    this.segmentOf[at] = segment;
    this.keyStarts[at] = from.keyStarts[index]!;
    this.keyLengths[at] = from.keyLengths[index]!;
    this.valueStarts[at] = from.valueStarts[index]!;
    this.valueLengths[at] = from.valueLengths[index]!;
    this.ends[at] = from.ends[index]!;
    this.offsets[at] = from.offsets[index]!;
    this.timestamps[at] = from.timestamps[index]!;
    this.count = at + 1;
  }

  clear(): void {
    this.count = 0;
    if (this.offsets.length <= MOST_KEPT_RECORDS) return;
    this.segmentOf = new Int32Array(FIRST_RECORDS);
    this.keyStarts = new Int32Array(FIRST_RECORDS);
    this.keyLengths = new Int32Array(FIRST_RECORDS);
    this.valueStarts = new Int32Array(FIRST_RECORDS);
    this.valueLengths = new Int32Array(FIRST_RECORDS);
    this.ends = new Int32Array(FIRST_RECORDS);
    this.offsets = new Float64Array(FIRST_RECORDS);
    this.timestamps = new Float64Array(FIRST_RECORDS);
  }
}

function larger(array: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(capacity);
  copy.set(array);
  return copy;
}

function largerDoubles(array: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(capacity);
  copy.set(array);
  return copy;
}
