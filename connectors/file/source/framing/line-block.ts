import { type BatchBuilder, type Headers, type RejectedRecord } from 'sluice/api';
import type { TailedFile } from '../tailed-file.ts';
import type { Block, BlockEnd, BlockPlace } from './block.ts';
import { tooLong } from './long-records.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

interface LineBlockOptions {
  readonly keepsCarriageReturn: boolean;
  readonly headers: Headers | undefined;
  readonly max: number;
  /** Of the byte order mark at the beginning of the file. */
  readonly markBytes: number;
}

/** Lines as they stand in the file, which most files are read as: nothing but two searches for each. */
export class LineBlock implements Block {
  at: number;
  isTooSmall = false;
  readonly rejected: RejectedRecord[] = [];
  readonly #file: TailedFile;
  readonly #bytes: Buffer;
  readonly #from: number;
  readonly #start: number;
  readonly #end: number;
  readonly #max: number;
  readonly #timestamp: number;
  readonly #dropsCarriageReturn: boolean;
  readonly #headers: Headers | undefined;
  /** Behind the last line feed, or where the limit of the file is if that comes first. */
  readonly #cut: number;

  constructor(
    file: TailedFile,
    bytes: Buffer,
    { from, start, end, timestamp }: BlockPlace,
    { keepsCarriageReturn, headers, max, markBytes }: LineBlockOptions,
  ) {
    this.#file = file;
    this.#bytes = bytes;
    this.#from = from;
    this.#start = start;
    this.#end = end;
    this.#max = max;
    this.#timestamp = timestamp;
    this.#dropsCarriageReturn = !keepsCarriageReturn;
    this.#headers = headers;
    this.at = Math.min(end, Math.max(start, markBytes - from));
    const behindFeed = end === 0 ? 0 : bytes.lastIndexOf(LINE_FEED, end - 1) + 1;
    this.#cut = Math.min(behindFeed, Math.max(start, file.limit - from));
    if (file.isSkipping) this.#skip(behindFeed);
  }

  get recordBytes(): number {
    return (this.at < this.#cut ? this.#bytes.indexOf(LINE_FEED, this.at) : this.#end) - this.at;
  }

  takeInto(batch: BatchBuilder): BlockEnd | null {
    return this.#appendLines(batch) ? this.#finish(batch) : null;
  }

  #appendLines(batch: BatchBuilder): boolean {
    const bytes = this.#bytes;
    const cut = this.#cut;
    const max = this.#max;
    const timestamp = this.#timestamp;
    const dropsCarriageReturn = this.#dropsCarriageReturn;
    const headers = this.#headers;
    let { at } = this;
    while (at < cut) {
      const feed = bytes.indexOf(LINE_FEED, at);
      const stop = dropsCarriageReturn && feed > at && bytes[feed - 1] === CARRIAGE_RETURN ? feed - 1 : feed;
      if (stop - at > max) this.#reject(at, stop);
      else if (!batch.appendSlice(bytes, at, stop, timestamp, headers)) break;
      at = feed + 1;
    }
    this.at = at;
    return at >= cut;
  }

  /** What is behind the last line feed: an unfinished line, a finished one without a line feed, or one that is too long already. */
  #finish(batch: BatchBuilder): BlockEnd | null {
    const isAtEnd = this.#end < this.#bytes.length;
    const file = this.#file;
    if (this.#from + this.at >= file.limit) return 'end';
    const rest = this.#end - this.at;
    if (rest > this.#max + 1) {
      this.#reject(this.at, this.#end);
      file.isSkipping = true;
      this.at = this.#end;
    } else if (isAtEnd && rest > 0 && (file.isFinal || file.limit < Infinity)) {
      if (rest > this.#max) this.#reject(this.at, this.#end);
      else if (!batch.appendSlice(this.#bytes, this.at, this.#end, this.#timestamp, this.#headers)) return null;
      this.at = this.#end;
    } else this.isTooSmall = !isAtEnd && this.at === this.#start;
    return isAtEnd ? 'end' : 'more';
  }

  #skip(behindFeed: number): void {
    const feed = behindFeed > this.at ? this.#bytes.indexOf(LINE_FEED, this.at) : -1;
    this.at = feed < 0 ? this.#end : feed + 1;
    if (feed >= 0) this.#file.isSkipping = false;
  }

  #reject(start: number, stop: number): void {
    const value = this.#bytes.subarray(start, Math.min(stop, start + this.#max));
    this.rejected.push(tooLong(this.#file.path, { value, offset: this.#from + start, max: this.#max }));
  }
}
