import { SluiceError, type Clock } from 'sluice/api';
import { JsonWriter } from 'sluice/codec';
import { GatheredRecords } from 'sluice/toolkit';
import type { SourceOptions } from './options.ts';
import { SyslogParser } from './parse.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Times that lie further ahead are those of a clock that is wrong; the time of arrival is better then. */
const AHEAD_MS = 24 * 60 * 60 * 1000;

interface MessagesOptions extends Pick<SourceOptions, 'value' | 'client_header' | 'utc_offset' | 'max_message'> {
  readonly maxRecordBytes: number;
  readonly clock: Clock;
}

/** Messages as records, on their way from what senders sent into a batch. */
export class Messages {
  readonly records: GatheredRecords;
  readonly #options: MessagesOptions;
  readonly #parser: SyslogParser;
  #nowMs = 0;

  constructor(options: MessagesOptions) {
    this.#options = options;
    const json = new JsonWriter('replace');
    this.records = new GatheredRecords(json, options.maxRecordBytes);
    this.#parser = new SyslogParser(json, { offsetMinutes: minutesOf(options.utc_offset) });
  }

  /** Those that come next are from there, and come now. */
  from(client: string): void {
    this.#nowMs = this.#options.clock.now();
    const { client_header: name } = this.#options;
    this.records.share(name === '' ? [] : [[name, Buffer.from(client)]]);
  }

  /** Messages lie in these bytes, which do not change until others are opened. */
  open(bytes: Buffer): void {
    this.#parser.open(bytes);
  }

  /** The message in `bytes[start, end)`, without what ends it. An empty one is none; one above the limit becomes a dead letter, cut. */
  add(bytes: Buffer, start: number, end: number, client: string): void {
    let last = end;
    while (last > start && isEnd(bytes[last - 1]!)) last--;
    if (last === start) return;
    const { value, max_message: limit } = this.#options;
    if (last - start > limit) {
      this.tooLong(bytes.subarray(start, start + limit), client);
      return;
    }
    const nowMs = this.#nowMs;
    const { json } = this.records;
    let timeMs: number | null = null;
    if (value === 'json') {
      this.#parser.write(bytes, start, last, nowMs);
      ({ timeMs } = this.#parser);
    } else json.slice(bytes, start, last);
    try {
      this.records.add(timeMs === null || timeMs > nowMs + AHEAD_MS ? nowMs : timeMs);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.records.reject(bytes.subarray(start, last), error, client);
    }
  }

  /** `beginning`: what is kept of it. */
  tooLong(beginning: Buffer, client: string): void {
    const limit = this.#options.max_message;
    const error = new SluiceError('RECORD_TOO_LARGE', `a message of more than ${limit} bytes (max_message); it is cut`);
    this.records.reject(beginning, error, client);
  }
}

/** Senders end messages with line feeds, with NUL, with both, also within counted frames. */
function isEnd(byte: number): boolean {
  return byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === 0;
}

/** Of `+05:30`. */
function minutesOf(offset: string): number {
  const minutes = 60 * Number(offset.slice(1, 3)) + Number(offset.slice(4));
  return offset.startsWith('-') ? -minutes : minutes;
}
