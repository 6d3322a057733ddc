import type { BatchBuilder } from 'sluice/api';
import { defaultCodecLimits, jsonLineSlices, jsonSlices, lineSlices, type RecordSlices } from 'sluice/codec';
import { guessFormat, type BodyFormat, type Declared } from './body-format.ts';
import { bodyFault, tooManyRecords } from './faults.ts';
import type { HeaderList } from './record-headers.ts';

/** After so many bytes other requests get a turn: some 10 ms of work. */
const TURN_BYTES = 4 * 1024 * 1024;
/** What a record takes beside its value and its headers, at most. */
const RECORD_OVERHEAD_BYTES = 24;
const FIRST_RECORDS = 64;

const slicesOf: Readonly<Record<BodyFormat, typeof jsonSlices>> = {
  json: jsonSlices,
  ndjson: jsonLineSlices,
  text: lineSlices,
};

/** Where the records of a body lie in it: two numbers each, no objects. */
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

/** Finds and checks every record of a body. Throws `Refusal` with the place when one is bad. */
export async function findRecords(
  bytes: Buffer,
  declared: Declared,
  limits: { readonly maxRecords: number; readonly maxRecordBytes: number },
): Promise<FoundRecords> {
  const { maxRecordBytes } = limits;
  const format = declared === 'unknown' ? guessFormat(bytes, maxRecordBytes) : declared;
  const slices: RecordSlices = slicesOf[format](bytes, { ...defaultCodecLimits, maxRecordBytes });
  const found = new FoundRecords();
  let turnEnd = TURN_BYTES;
  while (slices.next()) {
    if (found.count === limits.maxRecords) throw tooManyRecords(limits.maxRecords);
    found.add(slices.start, slices.end);
    if (slices.end < turnEnd) continue;
    turnEnd = slices.end + TURN_BYTES;
    await otherTurns();
  }
  if (slices.fault !== null) throw bodyFault(bytes, slices.fault, { format, isGuessed: declared === 'unknown' });
  return found;
}

/** The batch has room for all. */
export async function appendRecords(
  batch: BatchBuilder,
  bytes: Buffer,
  records: FoundRecords,
  { timestampMs, headers }: { readonly timestampMs: number; readonly headers: HeaderList },
): Promise<void> {
  let turnEnd = TURN_BYTES;
  for (let index = 0; index < records.count; index++) {
    const start = records.start(index);
    const end = records.end(index);
    const isAppended =
      headers.length === 0
        ? batch.appendSlice(bytes, start, end, timestampMs)
        : batch.append(bytes.subarray(start, end), null, timestampMs, headers);
    if (!isAppended) throw new Error('a batch is smaller than the records that it was made for');
    if (end < turnEnd) continue;
    turnEnd = end + TURN_BYTES;
    await otherTurns();
  }
}

function otherTurns(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
