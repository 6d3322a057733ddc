import { SluiceError } from 'sluice/api';
import { defaultCodecLimits, MsgpackCursor, MsgpackJson } from 'sluice/codec';
import { GatheredRecords } from 'sluice/toolkit';
import { EventTime } from './event-time.ts';
import type { Message } from './message.ts';
import type { SourceOptions } from './options.ts';
import { OwnFields } from './own-fields.ts';

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
  readonly #fields: OwnFields;
  readonly #cursor = new MsgpackCursor();
  readonly #time = new EventTime();

  constructor(options: EntriesOptions) {
    this.#options = options;
    this.#fields = new OwnFields(options);
    const json = new MsgpackJson({ limits: defaultCodecLimits, invalidText: options.invalid_text });
    this.records = new GatheredRecords(json, options.maxRecordBytes);
  }

  /** Adds what `message` holds, whose entries lie in `bytes[at, to)`. Yields between turns. What cannot be a record is among the rejected ones. */
  *read(message: Message, bytes: Buffer, { at, to, client, nowMs }: Place): Generator {
    const { mode, tag } = message;
    const { tag_header: name } = this.#options;
    this.records.share(name === '' ? [] : [[name, tag]]);
    this.#fields.tag(tag);
    const cursor = this.#cursor;
    cursor.open(bytes, at, to);
    this.records.json.open(bytes, to);
    let left = mode === 'message' ? 1 : mode === 'forward' ? cursor.array() : Infinity;
    let turnEnd = cursor.at + TURN_BYTES;
    for (; left > 0 && cursor.at < to; left--) {
      const start = cursor.at;
      try {
        if (mode !== 'message' && cursor.array() !== 2) throw invalid('expected [time, record]');
        this.#time.read(cursor, nowMs);
        if (cursor.kind() !== 'map') throw invalid(`expected a record that is a map, found ${cursor.kind()}`);
        this.#add();
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

  #add(): void {
    const { json } = this.records;
    const start = json.end;
    try {
      const before = this.#fields.begin(json, this.#time);
      json.write(this.#cursor.at);
      this.#fields.join(json, before);
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

function invalid(reason: string): SluiceError {
  return new SluiceError('DECODE_INVALID', `this is no entry of the forward protocol: ${reason}`);
}
