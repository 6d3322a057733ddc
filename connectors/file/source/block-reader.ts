import { SluiceError, type BatchBuilder, type RejectedRecord, type SourceContext } from 'sluice/api';
import { toPosition } from './position.ts';
import { CHECK_BYTES, checkOf } from './signature.ts';
import type { InputFile } from './storage.ts';
import type { TailedFile } from './tailed-file.ts';

const BLOCK_BYTES = 224 * 1024;
/** Of a batch: the rest is for what the record layout adds, to lines of 80 bytes and more. */
const BLOCK_SHARE = 7 / 8;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export type BlockEnd =
  /** There is more in the file. */
  | 'more'
  /** Read to its end, or to its limit. */
  | 'end'
  /** What was read before is not there any more. */
  | 'replaced';

/** Reads blocks of files into batches, one emit each. Its buffer serves one file at a time. */
export class BlockReader {
  readonly #context: SourceContext;
  readonly #keepsCarriageReturn: boolean;
  readonly #onEmitted: (emitted: Promise<void>) => void;
  #bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  /** Grows while lines do not fit. */
  #leastBytes = BLOCK_BYTES;

  constructor(
    context: SourceContext,
    options: { readonly keepsCarriageReturn: boolean; readonly onEmitted: (emitted: Promise<void>) => void },
  ) {
    this.#context = context;
    this.#keepsCarriageReturn = options.keepsCarriageReturn;
    this.#onEmitted = options.onEmitted;
  }

  /** Waits for a free buffer first: without one nothing is read. Rejects with what reading or emitting rejects with. */
  async read(file: TailedFile, handle: InputFile): Promise<BlockEnd> {
    const { largeBatchBytes } = this.#context;
    const isFarBehind = file.unread > largeBatchBytes;
    let batch = await this.#context.batch(isFarBehind ? largeBatchBytes : undefined);
    let isHeld = true;
    try {
      // The bytes before the offset come along: only behind what was read before stands what comes next.
      const overlap = Math.min(CHECK_BYTES, file.offset);
      const from = file.offset - overlap;
      const bytes = this.#block(isFarBehind ? largeBatchBytes * BLOCK_SHARE : 0);
      const end = await handle.read(bytes, 0, bytes.length, from);
      if (end < overlap || checkOf(bytes, 0, overlap) !== file.check) return 'replaced';
      file.sawBytes(bytes, from, end);
      file.isFresh = true;
      file.readTo = from + end;
      const block = new Block(file, bytes, { from, start: overlap, end, max: this.#context.maxRecordBytes });
      if (!this.#keepsCarriageReturn) block.dropsCarriageReturn = true;
      block.timestamp = this.#context.clock.now();
      let blockEnd = block.takeInto(batch);
      while (blockEnd === null && batch.count === 0) {
        batch.release();
        isHeld = false;
        batch = await this.#context.batch(block.lineBytes);
        isHeld = true;
        blockEnd = block.takeInto(batch);
      }
      if (block.isTooSmall) this.#grow();
      file.moveTo(from + block.at, bytes, block.at);
      if (batch.count > 0 || block.rejected.length > 0 || file.isUnsaved) {
        isHeld = false;
        await this.#emit(file, batch, block.rejected);
      }
      return blockEnd ?? 'more';
    } finally {
      if (isHeld) batch.release();
    }
  }

  /** Gives back the memory that a long line or a long file took. */
  trim(): void {
    if (this.#bytes.length > BLOCK_BYTES) this.#bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#leastBytes = BLOCK_BYTES;
  }

  #block(size: number): Buffer {
    const length = Math.max(size, this.#leastBytes);
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(length);
    return this.#bytes.subarray(0, length);
  }

  #grow(): void {
    // So much that a line of the record limit fits, and one that is longer is seen to be.
    const most = Math.max(BLOCK_BYTES, CHECK_BYTES + this.#context.maxRecordBytes + 3);
    this.#leastBytes = Math.min(this.#leastBytes * 2, most);
  }

  /** Waits only for the commit of refused lines, whose copies no budget counts. */
  async #emit(file: TailedFile, batch: BatchBuilder, rejected: readonly RejectedRecord[]): Promise<void> {
    const position = toPosition(file.position(this.#context.clock.monotonic()));
    file.isUnsaved = false;
    const emitted = this.#context.emit(batch, { stream: file.stream, positions: [[file.key, position]], rejected });
    this.#onEmitted(emitted);
    const { supersedes } = file;
    if (supersedes !== null) {
      file.supersedes = null;
      // Not before: until then it is what says how far the file was read.
      this.#onEmitted(emitted.then(() => this.#context.forget(supersedes)));
    }
    if (rejected.length > 0) await emitted;
  }
}

/** The part of a file that was read at once. */
class Block {
  /** Up to here it was taken, as an index of the bytes. */
  at: number;
  isTooSmall = false;
  dropsCarriageReturn = false;
  timestamp = 0;
  readonly rejected: RejectedRecord[] = [];
  readonly #file: TailedFile;
  readonly #bytes: Buffer;
  readonly #from: number;
  readonly #start: number;
  readonly #end: number;
  readonly #max: number;
  /** Behind the last line feed, or where the limit of the file is if that comes first. */
  readonly #cut: number;

  constructor(
    file: TailedFile,
    bytes: Buffer,
    place: { readonly from: number; readonly start: number; readonly end: number; readonly max: number },
  ) {
    this.#file = file;
    this.#bytes = bytes;
    this.#from = place.from;
    this.#start = place.start;
    this.#end = place.end;
    this.#max = place.max;
    this.at = place.start;
    const behindFeed = place.end === 0 ? 0 : bytes.lastIndexOf(LINE_FEED, place.end - 1) + 1;
    this.#cut = Math.min(behindFeed, Math.max(place.start, file.limit - place.from));
    if (file.isSkipping) this.#skip(behindFeed);
  }

  /** Of the line that did not fit. */
  get lineBytes(): number {
    return (this.at < this.#cut ? this.#bytes.indexOf(LINE_FEED, this.at) : this.#end) - this.at;
  }

  /** Appends what counts as a line. Null when the batch is full before the end of the block. */
  takeInto(batch: BatchBuilder): BlockEnd | null {
    return this.#appendLines(batch) ? this.#finish(batch) : null;
  }

  #appendLines(batch: BatchBuilder): boolean {
    const bytes = this.#bytes;
    const cut = this.#cut;
    const max = this.#max;
    const { timestamp, dropsCarriageReturn } = this;
    let { at } = this;
    while (at < cut) {
      const feed = bytes.indexOf(LINE_FEED, at);
      const stop = dropsCarriageReturn && feed > at && bytes[feed - 1] === CARRIAGE_RETURN ? feed - 1 : feed;
      if (stop - at > max) this.#reject(at, stop);
      else if (!batch.appendSlice(bytes, at, stop, timestamp)) break;
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
      else if (!batch.appendSlice(this.#bytes, this.at, this.#end, this.timestamp)) return null;
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
    const { path } = this.#file;
    const position = `${path}@${this.#from + start}`;
    this.rejected.push({
      value: Buffer.from(this.#bytes.subarray(start, Math.min(stop, start + this.#max))),
      error: new SluiceError('RECORD_TOO_LARGE', `reading a line of "${path}": the record limit is ${this.#max} bytes`),
      position,
    });
  }
}
