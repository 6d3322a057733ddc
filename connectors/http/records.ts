import type { BatchBuilder } from 'sluice/api';
import { jsonLineSlices, jsonSlices, lineSlices, type RecordSlices, type SliceOptions } from 'sluice/codec';
import { guessFormat, type BodyFormat, type Declared } from './body-format.ts';
import { bodyFault, tooManyRecords } from './faults.ts';
import type { HeaderList } from './record-headers.ts';

/** After so many bytes other requests get a turn: some 10 ms of work. */
const TURN_BYTES = 4 * 1024 * 1024;
/** What a record takes beside its value and its headers, at most. */
const RECORD_OVERHEAD_BYTES = 24;
const FIRST_RECORDS = 64;
/** Of so many records the places are kept for the next body. */
const KEPT_RECORDS = 16 * 1024;

const slicesOf: Readonly<Record<BodyFormat, typeof jsonSlices>> = {
  json: jsonSlices,
  ndjson: jsonLineSlices,
  text: lineSlices,
};

/** Where the records of a body lie in it: two numbers each, no objects. Used again, since an array for each body is a good part of what a small one costs. */
export class FoundRecords {
  count = 0;
  valueBytes = 0;
  #bounds = new Int32Array(2 * FIRST_RECORDS);

  add(start: number, end: number): void {
    if (2 * this.count === this.#bounds.length) {
      const larger = new Int32Array(2 * this.#bounds.length);
      larger.set(this.#bounds);
      this.#bounds = larger;
    }
    this.#bounds[2 * this.count] = start;
    this.#bounds[2 * this.count + 1] = end;
    this.count++;
    this.valueBytes += end - start;
  }

  reset(): void {
    this.count = 0;
    this.valueBytes = 0;
    if (this.#bounds.length > 2 * KEPT_RECORDS) this.#bounds = new Int32Array(2 * FIRST_RECORDS);
  }

  start(index: number): number {
    return this.#bounds[2 * index]!;
  }

  end(index: number): number {
    return this.#bounds[2 * index + 1]!;
  }

  /** Room that they take in a batch, at most. */
  batchBytes(headerBytes: number): number {
    return this.valueBytes + this.count * (RECORD_OVERHEAD_BYTES + headerBytes);
  }
}

/** Finds and checks the records of a body. */
export class RecordSearch {
  readonly found: FoundRecords;
  readonly #bytes: Buffer;
  readonly #format: BodyFormat;
  readonly #isGuessed: boolean;
  readonly #slices: RecordSlices;
  readonly #maxRecords: number;

  /** Adds to `found`, which is empty. */
  constructor(
    found: FoundRecords,
    { bytes, declared }: { readonly bytes: Buffer; readonly declared: Declared },
    { maxRecords, ...options }: SliceOptions & { readonly maxRecords: number },
  ) {
    this.found = found;
    this.#bytes = bytes;
    this.#isGuessed = declared === 'unknown';
    this.#format = declared === 'unknown' ? guessFormat(bytes, options.maxRecordBytes) : declared;
    this.#slices = slicesOf[this.#format](bytes, options);
    this.#maxRecords = maxRecords;
  }

  /** Goes on for a turn; false at the end. Throws `Refusal` with the place when a record is bad. */
  advance(): boolean {
    const slices = this.#slices;
    const turnEnd = slices.end + TURN_BYTES;
    while (slices.next()) {
      if (this.found.count === this.#maxRecords) throw tooManyRecords(this.#maxRecords);
      this.found.add(slices.start, slices.end);
      if (slices.end >= turnEnd) return true;
    }
    if (slices.fault === null) return false;
    throw bodyFault(this.#bytes, slices.fault, { format: this.#format, isGuessed: this.#isGuessed });
  }
}

/** Appends records from the one at `from` on, for a turn; returns where to go on. The batch has room for all. */
export function appendRecords(
  batch: BatchBuilder,
  { bytes, records, from }: { readonly bytes: Buffer; readonly records: FoundRecords; readonly from: number },
  { timestampMs, headers }: { readonly timestampMs: number; readonly headers: HeaderList },
): number {
  const turnEnd = records.start(from) + TURN_BYTES;
  let index = from;
  while (index < records.count) {
    const start = records.start(index);
    const end = records.end(index);
    const shared = headers.length === 0 ? undefined : headers;
    if (!batch.appendSlice(bytes, start, end, timestampMs, shared))
      throw new Error('a batch is smaller than the records that it was made for');
    index++;
    if (end >= turnEnd) break;
  }
  return index;
}

export function otherTurns(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
