import { SluiceError, type Clock } from 'sluice/api';
import { isJsonText, JsonWriter } from 'sluice/codec';
import { GatheredRecords } from 'sluice/toolkit';
import type { SourceOptions } from './options.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

interface FramesOptions extends Pick<
  SourceOptions,
  'framing' | 'format' | 'client_header' | 'max_frame' | 'length_bytes' | 'byte_order'
> {
  readonly maxRecordBytes: number;
  readonly clock: Clock;
}

/** Records on their way from what senders sent into a batch. */
export class Frames {
  readonly records: GatheredRecords;
  readonly #options: FramesOptions;

  constructor(options: FramesOptions) {
    this.#options = options;
    this.records = new GatheredRecords(new JsonWriter('replace'), options.maxRecordBytes);
  }

  /** Those that come next are from there. */
  from(client: string): void {
    const { client_header: name } = this.#options;
    this.records.share(name === '' ? [] : [[name, Buffer.from(client)]]);
  }

  /**
   * Adds the record that begins at `at`; returns where the next one begins, -1 when it is not whole. Throws `RECORD_TOO_LARGE` for a length above the limit: nobody
   * would wait for its end.
   */
  frame(bytes: Buffer, at: number, client: string): number {
    const { framing, max_frame: limit } = this.#options;
    if (framing === 'length') return this.#counted(bytes, at, client);
    const end = bytes.indexOf(framing === 'nul' ? 0 : LINE_FEED, at);
    if (end < 0) return -1;
    const isLine = framing === 'lines' && end > at && bytes[end - 1] === CARRIAGE_RETURN;
    if (end - at > limit) this.tooLong(bytes.subarray(at, at + limit), client);
    else this.add(bytes, at, isLine ? end - 1 : end, client);
    return end + 1;
  }

  /** All records of a datagram. */
  all(bytes: Buffer, client: string): void {
    let at = 0;
    try {
      while (at < bytes.length) {
        const next = this.frame(bytes, at, client);
        if (next < 0) break;
        at = next;
      }
      if (at === bytes.length) return;
      if (this.#options.framing !== 'length') this.whole(bytes, at, client);
      else throw new SluiceError('DECODE_INVALID', 'the datagram ends within a record');
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.records.reject(bytes.subarray(at), error, client);
    }
  }

  /** What begins at `at` is a record up to the end. */
  whole(bytes: Buffer, at: number, client: string): void {
    const { max_frame: limit } = this.#options;
    if (bytes.length - at > limit) this.tooLong(bytes.subarray(at, at + limit), client);
    else this.add(bytes, at, bytes.length, client);
  }

  add(bytes: Buffer, start: number, end: number, client: string): void {
    try {
      if (this.#options.format === 'json' && !isJsonText(bytes.subarray(start, end)))
        throw new SluiceError('DECODE_INVALID', 'this is not one JSON value');
      this.records.json.slice(bytes, start, end);
      this.records.add(this.#options.clock.now());
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.records.reject(bytes.subarray(start, end), error, client);
    }
  }

  /** `beginning`: what is kept of it. */
  tooLong(beginning: Buffer, client: string): void {
    const limit = this.#options.max_frame;
    const error = new SluiceError('RECORD_TOO_LARGE', `a record of more than ${limit} bytes (max_frame); it is cut`);
    this.records.reject(beginning, error, client);
  }

  #counted(bytes: Buffer, at: number, client: string): number {
    const { length_bytes: size, byte_order: order, max_frame: limit } = this.#options;
    if (at + size > bytes.length) return -1;
    const length = order === 'big' ? bytes.readUIntBE(at, size) : bytes.readUIntLE(at, size);
    if (length > limit)
      throw new SluiceError(
        'RECORD_TOO_LARGE',
        `a record of ${length} bytes is announced, more than max_frame (${limit})`,
      );
    const start = at + size;
    if (start + length > bytes.length) return -1;
    this.add(bytes, start, start + length, client);
    return start + length;
  }
}
