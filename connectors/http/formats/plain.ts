import { jsonLineSlices, jsonSlices, lineSlices, type RecordSlices } from 'sluice/codec';
import type { HttpAnswer } from 'sluice/toolkit';
import { formatOf, guessFormat, type BodyFormat, type Declared } from './content-type.ts';
import { bodyFault, tooManyRecords } from './faults.ts';
import {
  TURN_BYTES,
  type FormatRequest,
  type Reading,
  type RecordSearch,
  type RouteFormat,
  type SearchLimits,
} from './format.ts';
import type { FoundRecords } from './found-records.ts';

const slicesOf: Readonly<Record<BodyFormat, typeof jsonSlices>> = {
  json: jsonSlices,
  ndjson: jsonLineSlices,
  text: lineSlices,
};

/** JSON, JSON lines and lines of text: records are slices of the body, as they were sent. */
export class PlainFormat implements RouteFormat {
  readonly methods = ['POST', 'PUT'];
  readonly ownsPathsBelow = false;
  readonly #option: 'auto' | BodyFormat;

  constructor(option: 'auto' | BodyFormat) {
    this.#option = option;
  }

  accept({ headers }: FormatRequest): Reading {
    return readings[formatOf(this.#option, headers['content-type'])];
  }
}

class PlainReading implements Reading {
  readonly #declared: Declared;

  constructor(declared: Declared) {
    this.#declared = declared;
  }

  search(bytes: Buffer, found: FoundRecords, limits: SearchLimits): RecordSearch {
    return new PlainSearch(found, { bytes, declared: this.#declared }, limits);
  }

  taken(records: number): HttpAnswer {
    return { status: 200, body: { records } };
  }

  repeated(): HttpAnswer {
    return { status: 200, body: { repeated: true } };
  }
}

/** They keep nothing of a request. */
const readings: Readonly<Record<Declared, Reading>> = {
  json: new PlainReading('json'),
  ndjson: new PlainReading('ndjson'),
  text: new PlainReading('text'),
  unknown: new PlainReading('unknown'),
};

class PlainSearch implements RecordSearch {
  readonly #found: FoundRecords;
  readonly #bytes: Buffer;
  readonly #format: BodyFormat;
  readonly #isGuessed: boolean;
  readonly #slices: RecordSlices;
  readonly #maxRecords: number;

  constructor(
    found: FoundRecords,
    { bytes, declared }: { readonly bytes: Buffer; readonly declared: Declared },
    limits: SearchLimits,
  ) {
    this.#found = found;
    this.#bytes = bytes;
    this.#isGuessed = declared === 'unknown';
    this.#format = declared === 'unknown' ? guessFormat(bytes, limits.maxRecordBytes) : declared;
    this.#slices = slicesOf[this.#format](bytes, limits);
    this.#maxRecords = limits.maxRecords;
  }

  advance(): boolean {
    const slices = this.#slices;
    const found = this.#found;
    const turnEnd = slices.end + TURN_BYTES;
    while (slices.next()) {
      if (found.count === this.#maxRecords) throw tooManyRecords(this.#maxRecords);
      found.add(slices.start, slices.end);
      if (slices.end >= turnEnd) return true;
    }
    if (slices.fault === null) return false;
    throw bodyFault(this.#bytes, slices.fault, { format: this.#format, isGuessed: this.#isGuessed });
  }
}
