import { SluiceError, type BatchBuilder, type Headers, type RejectedRecord } from 'sluice/api';
import { defaultCodecLimits, MsgpackCursor, MsgpackJson } from 'sluice/codec';
import { EventTime } from './event-time.ts';
import type { Message } from './message.ts';
import type { SourceOptions } from './options.ts';

/** What a record takes beside its value and its headers, at most. */
const RECORD_OVERHEAD_BYTES = 24;
/** Room for the varints of a name and a value, and for the number of headers. */
const HEADER_OVERHEAD_BYTES = 16;
const FIRST_RECORDS = 256;
/** Of so many records the places are kept for the next messages. */
const KEPT_RECORDS = 16 * 1024;
/** After so many bytes other connections get a turn: some 10 ms of work. */
const TURN_BYTES = 2 * 1024 * 1024;

export interface EntriesOptions extends Pick<
  SourceOptions,
  'tag_header' | 'tag_field' | 'time_field' | 'invalid_text'
> {
  readonly maxRecordBytes: number;
}

/** Records of one tag, one after the other. */
interface Run {
  readonly first: number;
  readonly headers: Headers | undefined;
  readonly headerBytes: number;
}

/** Entries of messages as JSON records, on their way from what a client sent into a batch. Used again. */
export class Entries {
  count = 0;
  readonly rejected: RejectedRecord[] = [];
  readonly #options: EntriesOptions;
  readonly #json: MsgpackJson;
  readonly #cursor = new MsgpackCursor();
  readonly #time = new EventTime();
  #ends = new Int32Array(FIRST_RECORDS);
  #times = new Float64Array(FIRST_RECORDS);
  readonly #runs: Run[] = [];
  #batchBytes = 0;

  constructor(options: EntriesOptions) {
    this.#options = options;
    this.#json = new MsgpackJson({ limits: defaultCodecLimits, invalidText: options.invalid_text });
  }

  /** Room that the records take in a batch, at most. */
  get batchBytes(): number {
    return this.#batchBytes;
  }

  reset(): void {
    this.count = 0;
    this.rejected.length = 0;
    this.#runs.length = 0;
    this.#batchBytes = 0;
    this.#json.reset();
    if (this.#ends.length > KEPT_RECORDS) {
      this.#ends = new Int32Array(FIRST_RECORDS);
      this.#times = new Float64Array(FIRST_RECORDS);
    }
  }

  /** Adds what `message` holds, whose entries lie in `bytes[at, to)`. Yields between turns. What cannot be a record is among the rejected ones. */
  *read(message: Message, bytes: Buffer, place: { at: number; to: number; client: string; nowMs: number }): Generator {
    const { tag } = message;
    const { at, to, nowMs } = place;
    this.#begin(tag);
    const prefix = this.#prefix(tag);
    const position = `${place.client} ${tag.toString()}`;
    const cursor = this.#cursor;
    cursor.open(bytes, at, to);
    let left = message.mode === 'message' ? 1 : message.mode === 'forward' ? cursor.array() : Infinity;
    let turnEnd = cursor.at + TURN_BYTES;
    for (; left > 0 && cursor.at < to; left--) {
      const start = cursor.at;
      try {
        if (message.mode !== 'message' && cursor.array() !== 2) throw invalid('expected [time, record]');
        this.#time.read(cursor, nowMs);
        if (cursor.kind() !== 'map') throw invalid(`expected a record that is a map, found ${cursor.kind()}`);
        this.#add(bytes, to, prefix);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        this.#reject({ bytes, start, to, position, isAlone: message.mode === 'message' }, error);
      }
      if (cursor.at >= turnEnd) {
        turnEnd = cursor.at + TURN_BYTES;
        yield;
      }
    }
  }

  /** What is no entry at all, but must not be lost. */
  reject(value: Buffer, error: SluiceError, position: string): void {
    this.rejected.push({ value: Buffer.from(value), error, position });
  }

  /** Appends all records to a batch that has room for them. */
  appendTo(batch: BatchBuilder): void {
    const { bytes } = this.#json;
    let index = 0;
    for (const [number, run] of this.#runs.entries()) {
      const last = this.#runs[number + 1]?.first ?? this.count;
      for (; index < last; index++) {
        const start = index === 0 ? 0 : this.#ends[index - 1]!;
        if (!batch.appendSlice(bytes, start, this.#ends[index]!, this.#times[index], run.headers))
          throw new Error('a batch is smaller than the records that it was made for');
      }
    }
  }

  #begin(tag: Buffer): void {
    const { tag_header: name } = this.#options;
    if (name === '') this.#runs.push({ first: this.count, headers: undefined, headerBytes: 0 });
    else {
      const headerBytes = name.length + tag.length + HEADER_OVERHEAD_BYTES;
      this.#runs.push({ first: this.count, headers: [[name, tag]], headerBytes });
    }
  }

  /** The beginning of each record up to where its own fields come; null when nothing is added. */
  #prefix(tag: Buffer): Buffer | null {
    const { tag_field: tagField, time_field: timeField } = this.#options;
    const tagPart = tagField === undefined ? [] : [`${JSON.stringify(tagField)}:${JSON.stringify(tag.toString())}`];
    const timePart = timeField === undefined ? [] : [`${JSON.stringify(timeField)}:"`];
    return tagPart.length + timePart.length === 0 ? null : Buffer.from(`{${[...tagPart, ...timePart].join(',')}`);
  }

  #add(bytes: Buffer, to: number, prefix: Buffer | null): void {
    const json = this.#json;
    const start = json.end;
    try {
      if (prefix !== null) {
        json.raw(prefix);
        if (this.#options.time_field !== undefined) json.ascii(`${this.#time.text}"`);
      }
      const before = json.end;
      json.write(bytes, this.#cursor.at, to);
      if (prefix !== null) joinObjects(json, before);
    } catch (error) {
      json.end = start;
      throw error;
    }
    const run = this.#runs.at(-1)!;
    const length = json.end - start;
    if (length + run.headerBytes > this.#options.maxRecordBytes) {
      json.end = start;
      throw new SluiceError(
        'RECORD_TOO_LARGE',
        `a record of ${length} bytes: the limit is ${this.#options.maxRecordBytes}`,
      );
    }
    this.#cursor.at = json.at;
    if (this.count === this.#ends.length) this.#grow();
    this.#ends[this.count] = json.end;
    this.#times[this.count] = this.#time.milliseconds;
    this.count++;
    this.#batchBytes += length + run.headerBytes + RECORD_OVERHEAD_BYTES;
  }

  /** Goes on behind the entry, or, where its end cannot be found, behind all of them. */
  #reject(
    entry: { bytes: Buffer; start: number; to: number; position: string; isAlone: boolean },
    error: SluiceError,
  ): void {
    const { bytes, start, to, position } = entry;
    const cursor = this.#cursor;
    cursor.at = start;
    try {
      if (entry.isAlone) cursor.at = to;
      else cursor.skip();
    } catch (cut) {
      if (!(cut instanceof SluiceError)) throw cut;
      cursor.at = to;
    }
    this.reject(bytes.subarray(start, cursor.at), error, position);
  }

  #grow(): void {
    const [ends, times] = [new Int32Array(2 * this.#ends.length), new Float64Array(2 * this.#ends.length)];
    ends.set(this.#ends);
    times.set(this.#times);
    [this.#ends, this.#times] = [ends, times];
  }
}

/** Makes one object of `{"a":1` and the object that begins at `at`. */
function joinObjects(json: MsgpackJson, at: number): void {
  const isEmpty = json.end === at + 2;
  json.bytes[at] = isEmpty ? 0x7d : 0x2c;
  if (isEmpty) json.end = at + 1;
}

function invalid(reason: string): SluiceError {
  return new SluiceError('DECODE_INVALID', `this is no entry of the forward protocol: ${reason}`);
}
