import { SluiceError, type BatchBuilder, type Headers, type RejectedRecord, type SourceContext } from '../api/index.ts';
import type { JsonWriter } from '../codec/index.ts';

/** What a record takes beside its value and its headers, at most. */
const RECORD_OVERHEAD_BYTES = 24;
/** Room for the varints of a name and a value, and for the number of headers. */
const HEADER_OVERHEAD_BYTES = 16;
const KEY_OVERHEAD_BYTES = 4;
const FIRST_RECORDS = 256;
/** Of so many records the places are kept. */
const KEPT_RECORDS = 16 * 1024;
/** After so many bytes of copying others get a turn: a few milliseconds of work. */
const TURN_BYTES = 4 * 1024 * 1024;

/** Records that share their headers, one after the other. */
interface Run {
  readonly first: number;
  readonly headers: Headers | undefined;
  readonly headerBytes: number;
}

const noHeaders = { headers: undefined, headerBytes: 0 };

/** Records that a listener writes as JSON before it knows how much room they take in a batch: numbers for each, no objects. Used again. */
export class GatheredRecords<Writer extends JsonWriter = JsonWriter> {
  count = 0;
  /** Room that the records take in a batch, at most. */
  batchBytes = 0;
  /** Values are written here; what lies behind the last record is not one yet. */
  readonly json: Writer;
  readonly rejected: RejectedRecord[] = [];
  readonly #maxRecordBytes: number;
  readonly #runs: Run[] = [{ first: 0, ...noHeaders }];
  #ends = new Int32Array(FIRST_RECORDS);
  #times = new Float64Array(FIRST_RECORDS);
  /** Of the records that have one. */
  readonly #keys = new Map<number, Uint8Array>();
  readonly #tombstones = new Set<number>();

  constructor(json: Writer, maxRecordBytes: number) {
    this.json = json;
    this.#maxRecordBytes = maxRecordBytes;
  }

  get isEmpty(): boolean {
    return this.count === 0 && this.rejected.length === 0;
  }

  /** Records from now on have these headers. */
  share(headers: readonly (readonly [name: string, value: Buffer])[]): void {
    const headerBytes = headers.reduce(
      (sum, [name, value]) => sum + name.length + value.length + HEADER_OVERHEAD_BYTES,
      0,
    );
    if (this.#runs.at(-1)!.first === this.count) this.#runs.pop();
    const first = this.count;
    this.#runs.push(headers.length === 0 ? { first, ...noHeaders } : { first, headers, headerBytes });
  }

  /** What was written since the last record is one. Throws `RECORD_TOO_LARGE`, and nothing of it is left then. The key is not copied. */
  add(timestampMs: number, key: Uint8Array | null = null): void {
    const { headerBytes } = this.#runs.at(-1)!;
    const start = this.count === 0 ? 0 : this.#ends[this.count - 1]!;
    const length = this.json.end - start;
    const besides = key === null ? headerBytes : headerBytes + key.length + KEY_OVERHEAD_BYTES;
    if (length + besides > this.#maxRecordBytes) {
      this.json.end = start;
      throw new SluiceError('RECORD_TOO_LARGE', `a record of ${length} bytes: the limit is ${this.#maxRecordBytes}`);
    }
    if (this.count === this.#ends.length) this.#grow();
    if (key !== null) this.#keys.set(this.count, key);
    this.#ends[this.count] = this.json.end;
    this.#times[this.count] = timestampMs;
    this.count++;
    this.batchBytes += length + besides + RECORD_OVERHEAD_BYTES;
  }

  /** A record without a value: whatever has this key is deleted. */
  addTombstone(timestampMs: number, key: Uint8Array): void {
    this.#tombstones.add(this.count);
    this.add(timestampMs, key);
  }

  /** What cannot be a record, and must not be lost. The bytes are copied. */
  reject(value: Uint8Array, error: SluiceError, position: string): void {
    this.rejected.push({ value: Buffer.from(value), error, position });
  }

  /** Hands all of it to the engine, once there is room for it, and forgets it. Resolves with the promise of the emit: the records are durable when that resolves. */
  async emit(
    context: SourceContext,
    options: { readonly stream: string; readonly dedupeIds?: readonly string[] },
  ): Promise<{ readonly durable: Promise<void> }> {
    try {
      const batch = context.tryBatch(this.batchBytes) ?? (await context.batch(this.batchBytes));
      const turns = this.appendTo(batch);
      while (turns.next().done !== true);
      return { durable: context.emit(batch, { ...options, rejected: [...this.rejected] }) };
    } finally {
      this.reset();
    }
  }

  /** Copies all records into a batch of `batchBytes`, for listeners that would rather refuse than wait for one. Yields between turns. */
  *appendTo(batch: BatchBuilder): Generator<void, void> {
    let index = 0;
    let turnEnd = TURN_BYTES;
    for (const [number, run] of this.#runs.entries()) {
      const last = this.#runs[number + 1]?.first ?? this.count;
      for (; index < last; index++) {
        if (!this.#append(batch, index, run.headers))
          throw new Error('a batch is smaller than the records that it was made for');
        if (this.#ends[index]! < turnEnd) continue;
        turnEnd = this.#ends[index]! + TURN_BYTES;
        yield;
      }
    }
  }

  #append(batch: BatchBuilder, index: number, headers: Headers | undefined): boolean {
    const { bytes } = this.json;
    const start = index === 0 ? 0 : this.#ends[index - 1]!;
    const end = this.#ends[index]!;
    const timestampMs = this.#times[index];
    if (this.#keys.size === 0) return batch.appendSlice(bytes, start, end, timestampMs, headers);
    const key = this.#keys.get(index) ?? null;
    const value = this.#tombstones.has(index) ? null : bytes.subarray(start, end);
    return batch.append(value, key, timestampMs, headers);
  }

  /** Forgets all of it. */
  reset(): void {
    this.count = 0;
    this.batchBytes = 0;
    this.rejected.length = 0;
    this.#keys.clear();
    this.#tombstones.clear();
    this.#runs.splice(0, this.#runs.length, { first: 0, ...noHeaders });
    this.json.reset();
    if (this.#ends.length <= KEPT_RECORDS) return;
    this.#ends = new Int32Array(FIRST_RECORDS);
    this.#times = new Float64Array(FIRST_RECORDS);
  }

  #grow(): void {
    const [ends, times] = [new Int32Array(2 * this.#ends.length), new Float64Array(2 * this.#ends.length)];
    ends.set(this.#ends);
    times.set(this.#times);
    [this.#ends, this.#times] = [ends, times];
  }
}
