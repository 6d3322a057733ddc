import { SluiceError } from 'sluice/api';
import { defaultCodecLimits, MsgpackCursor, MsgpackJson } from 'sluice/codec';
import { GatheredRecords } from 'sluice/toolkit';
import { EventTime } from './event-time.ts';
import type { Message } from './message.ts';
import type { SourceOptions } from './options.ts';

/** After so many bytes other connections get a turn: some 10 ms of work. */
const TURN_BYTES = 2 * 1024 * 1024;

interface EntriesOptions extends Pick<SourceOptions, 'tag_header' | 'tag_field' | 'time_field' | 'invalid_text'> {
  readonly maxRecordBytes: number;
}

/** Where the entries of a message lie, and whose they are. */
interface Place {
  readonly at: number;
  readonly to: number;
  readonly client: string;
  readonly nowMs: number;
}

/** Entries of messages as JSON records, on their way from what a client sent into a batch. */
export class Entries {
  readonly records: GatheredRecords<MsgpackJson>;
  readonly #options: EntriesOptions;
  readonly #cursor = new MsgpackCursor();
  readonly #time = new EventTime();

  constructor(options: EntriesOptions) {
    this.#options = options;
    const json = new MsgpackJson({ limits: defaultCodecLimits, invalidText: options.invalid_text });
    this.records = new GatheredRecords(json, options.maxRecordBytes);
  }

  /** Adds what `message` holds, whose entries lie in `bytes[at, to)`. Yields between turns. What cannot be a record is among the rejected ones. */
  *read(message: Message, bytes: Buffer, { at, to, client, nowMs }: Place): Generator {
    const { mode, tag } = message;
    const { tag_header: name } = this.#options;
    this.records.share(name === '' ? [] : [[name, tag]]);
    const prefix = this.#prefix(tag);
    const cursor = this.#cursor;
    cursor.open(bytes, at, to);
    let left = mode === 'message' ? 1 : mode === 'forward' ? cursor.array() : Infinity;
    let turnEnd = cursor.at + TURN_BYTES;
    for (; left > 0 && cursor.at < to; left--) {
      const start = cursor.at;
      try {
        if (mode !== 'message' && cursor.array() !== 2) throw invalid('expected [time, record]');
        this.#time.read(cursor, nowMs);
        if (cursor.kind() !== 'map') throw invalid(`expected a record that is a map, found ${cursor.kind()}`);
        this.#add(bytes, to, prefix);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        const end = mode === 'message' ? to : this.#endOf(start, to);
        this.records.reject(bytes.subarray(start, end), error, `${client} ${tag.toString()}`);
        cursor.at = end;
      }
      if (cursor.at >= turnEnd) {
        turnEnd = cursor.at + TURN_BYTES;
        yield;
      }
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
    const { json } = this.records;
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
    this.records.add(this.#time.milliseconds);
    this.#cursor.at = json.at;
  }

  /** Where the value at `start` ends; where its end cannot be found, all that is left belongs to it. */
  #endOf(start: number, to: number): number {
    this.#cursor.at = start;
    try {
      this.#cursor.skip();
      return this.#cursor.at;
    } catch (error) {
      if (error instanceof SluiceError) return to;
      throw error;
    }
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
