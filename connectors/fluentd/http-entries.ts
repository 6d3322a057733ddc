import { SluiceError } from 'sluice/api';
import {
  defaultCodecLimits,
  JsonCursor,
  jsonLineSlices,
  JsonScanner,
  jsonSlices,
  MsgpackCursor,
  MsgpackJson,
} from 'sluice/codec';
import { GatheredRecords } from 'sluice/toolkit';
import { EventTime } from './event-time.ts';
import type { SourceOptions } from './options.ts';
import { OwnFields } from './own-fields.ts';

export type HttpEncoding = 'json' | 'ndjson' | 'msgpack';

/** What is said of the records of a request beside them. */
export interface HttpPlace {
  readonly tag: Buffer;
  /** In seconds; null: each record says it. */
  readonly seconds: number | null;
  readonly nowMs: number;
}

interface HttpEntriesOptions extends Pick<SourceOptions, 'tag_header' | 'tag_field' | 'time_field' | 'invalid_text'> {
  readonly maxRecordBytes: number;
}

/** After so many bytes other requests get a turn: some 10 ms of work. */
const TURN_BYTES = 2 * 1024 * 1024;
/** The field of a record that holds its time, as fluentd has it. */
const TIME = Buffer.from('time');

/** Records that are posted as fluentd's `in_http` takes them: maps, alone or in arrays. All of it throws a SluiceError for what is none. */
export class HttpEntries {
  readonly records: GatheredRecords<MsgpackJson>;
  readonly #options: HttpEntriesOptions;
  readonly #fields: OwnFields;
  readonly #time = new EventTime();
  readonly #cursor = new MsgpackCursor();
  readonly #jsonCursor = new JsonCursor();
  readonly #scanner = new JsonScanner(defaultCodecLimits);

  constructor(options: HttpEntriesOptions) {
    this.#options = options;
    this.#fields = new OwnFields(options);
    const json = new MsgpackJson({ limits: defaultCodecLimits, invalidText: options.invalid_text });
    this.records = new GatheredRecords(json, options.maxRecordBytes);
  }

  /** Adds all records of `bytes`, in turns. */
  *read(encoding: HttpEncoding, bytes: Buffer, place: HttpPlace): Generator<void, void> {
    const { tag_header: name } = this.#options;
    this.records.share(name === '' ? [] : [[name, place.tag]]);
    this.#fields.tag(place.tag);
    if (encoding === 'msgpack') yield* this.#readMsgpack(bytes, place);
    else yield* this.#readJson(encoding, bytes, place);
  }

  *#readJson(encoding: 'json' | 'ndjson', bytes: Buffer, place: HttpPlace): Generator<void, void> {
    const options = { scanner: this.#scanner, maxRecordBytes: this.#options.maxRecordBytes };
    const slices = (encoding === 'json' ? jsonSlices : jsonLineSlices)(bytes, options);
    const { json } = this.records;
    let turnEnd = TURN_BYTES;
    while (slices.next()) {
      this.#setTime(place, this.#jsonTime(bytes, slices.start, slices.end));
      const before = this.#fields.begin(json, this.#time);
      json.slice(bytes, slices.start, slices.end);
      this.#fields.join(json, before);
      this.records.add(this.#time.milliseconds);
      if (slices.end < turnEnd) continue;
      turnEnd = slices.end + TURN_BYTES;
      yield;
    }
    this.#scanner.forget();
    if (slices.fault !== null)
      throw new SluiceError(slices.fault.code, `${slices.fault.reason} at byte ${slices.fault.at}`);
  }

  *#readMsgpack(bytes: Buffer, place: HttpPlace): Generator<void, void> {
    const cursor = this.#cursor;
    cursor.open(bytes, 0, bytes.length);
    this.records.json.open(bytes, bytes.length);
    let turnEnd = TURN_BYTES;
    while (cursor.at < bytes.length) {
      for (let left = cursor.kind() === 'array' ? cursor.array() : 1; left > 0; left--) {
        this.#addMsgpack(place);
        if (cursor.at < turnEnd) continue;
        turnEnd = cursor.at + TURN_BYTES;
        yield;
        cursor.open(bytes, cursor.at, bytes.length);
      }
    }
  }

  #addMsgpack(place: HttpPlace): void {
    const cursor = this.#cursor;
    const { json } = this.records;
    const start = cursor.at;
    if (cursor.kind() !== 'map') throw invalid(`expected a record that is a map, found ${cursor.kind()}`);
    this.#setTime(place, this.#msgpackTime());
    const before = this.#fields.begin(json, this.#time);
    json.write(start);
    cursor.at = json.at;
    this.#fields.join(json, before);
    this.records.add(this.#time.milliseconds);
  }

  #setTime({ seconds, nowMs }: HttpPlace, ownSeconds: number): void {
    this.#time.set(seconds ?? ownSeconds, nowMs);
  }

  /** NaN when the record has none. */
  #jsonTime(bytes: Buffer, start: number, end: number): number {
    const cursor = this.#jsonCursor;
    cursor.open(bytes, start, end);
    if (cursor.kind() !== 'object') throw invalid(`expected records that are objects, found ${cursor.kind()}`);
    let seconds = NaN;
    cursor.enter();
    while (cursor.member()) {
      if (!cursor.is(TIME) || cursor.kind() !== 'number') cursor.skip();
      else {
        cursor.scalar();
        seconds = Number(cursor.string);
      }
    }
    return seconds;
  }

  /** NaN when the map at the cursor has none. */
  #msgpackTime(): number {
    const cursor = this.#cursor;
    let seconds = NaN;
    for (let pairs = cursor.map(); pairs > 0; pairs--) {
      const isTime = cursor.kind() === 'bytes' && this.#isTime();
      if (!isTime) cursor.skip();
      if (isTime && cursor.kind() === 'number') seconds = cursor.number();
      else cursor.skip();
    }
    return seconds;
  }

  /** Reads a name. */
  #isTime(): boolean {
    const cursor = this.#cursor;
    const start = cursor.at;
    cursor.text();
    if (cursor.bytes.compare(TIME, 0, TIME.length, cursor.from, cursor.to) === 0) return true;
    cursor.at = start;
    return false;
  }
}

function invalid(reason: string): SluiceError {
  return new SluiceError('DECODE_INVALID', reason);
}
