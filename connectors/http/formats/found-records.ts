import type { HeaderList } from '../record-headers.ts';
import { writtenBytes } from '../record-headers.ts';

/** What a record takes beside its value and its headers, at most. */
const RECORD_OVERHEAD_BYTES = 24;
const FIRST_RECORDS = 64;
/** Of so many records the places are kept for the next body. */
const KEPT_RECORDS = 16 * 1024;
const NOTHING = Buffer.alloc(0);

/** What a record has of its own beside its value. */
export interface RecordDetails {
  readonly key?: Uint8Array;
  /** Unset: when the request came. */
  readonly timestampMs?: number;
  /** Behind those that all records of the request have. */
  readonly headers?: HeaderList;
}

/**
 * Where the records of a body lie: two numbers each, no objects unless a format describes them. Used again, since an array for each body is a good part of what a
 * small one costs.
 */
export class FoundRecords {
  count = 0;
  valueBytes = 0;
  /** What they lie in: the body, unless a format wrote them elsewhere. */
  source: Buffer = NOTHING;
  #bounds = new Int32Array(2 * FIRST_RECORDS);
  /** By index, for records that were described. */
  #details: (RecordDetails | undefined)[] | null = null;
  #detailBytes = 0;

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

  /** The record that was added last has these. */
  describe(details: RecordDetails): void {
    this.#details ??= [];
    this.#details[this.count - 1] = details;
    this.#detailBytes += (details.key?.length ?? 0) + writtenBytes(details.headers ?? []);
  }

  reset(): void {
    this.count = 0;
    this.valueBytes = 0;
    this.source = NOTHING;
    this.#details = null;
    this.#detailBytes = 0;
    if (this.#bounds.length > 2 * KEPT_RECORDS) this.#bounds = new Int32Array(2 * FIRST_RECORDS);
  }

  start(index: number): number {
    return this.#bounds[2 * index]!;
  }

  end(index: number): number {
    return this.#bounds[2 * index + 1]!;
  }

  details(index: number): RecordDetails | undefined {
    return this.#details?.[index];
  }

  /** Room that they take in a batch, at most. */
  batchBytes(headerBytes: number): number {
    return this.valueBytes + this.#detailBytes + this.count * (RECORD_OVERHEAD_BYTES + headerBytes);
  }
}
