import type { BatchBuilder, RejectedRecord, SourceContext } from 'sluice/api';
import type { BlockEnd } from './framing/block.ts';
import type { Framing } from './framing/framing.ts';
import { toPosition } from './position.ts';
import { behindZeros, checkBefore, readAt, stillHolds } from './content.ts';
import { beginAlike, CHECK_BYTES, checkOf, HEAD_BYTES } from './signature.ts';
import type { InputFile } from './storage.ts';
import type { TailedFile } from './tailed-file.ts';

const BLOCK_BYTES = 224 * 1024;
/** Of a batch: the rest is for what the record layout adds, to lines of 80 bytes and more. */
const BLOCK_SHARE = 7 / 8;

/** What was read of the file, and its position, are durable when it resolves. */
export type OnEmitted = (emitted: Promise<void>, file: TailedFile) => void;

/** Reads blocks of files into batches, one emit each. Its buffer serves one file at a time. */
export class BlockReader {
  readonly #context: SourceContext;
  readonly #framing: Framing;
  readonly #onEmitted: OnEmitted;
  #bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  /** Grows while records do not fit. */
  #leastBytes = BLOCK_BYTES;

  constructor(
    context: SourceContext,
    options: {
      readonly framing: Framing;
      readonly onEmitted: OnEmitted;
    },
  ) {
    this.#context = context;
    this.#framing = options.framing;
    this.#onEmitted = options.onEmitted;
  }

  /**
   * Waits for a free buffer first: without one nothing is read. `replaced`: what was read before is not there any more. Rejects with what reading or emitting
   * rejects with.
   */
  async read(file: TailedFile, handle: InputFile): Promise<BlockEnd | 'replaced'> {
    const { largeBatchBytes, maxRecordBytes, clock } = this.#context;
    const isFarBehind = file.unread > largeBatchBytes;
    let batch = await this.#context.batch(isFarBehind ? largeBatchBytes : undefined);
    let isHeld = true;
    try {
      // The bytes before the offset come along: only behind what was read before stands what comes next.
      const overlap = Math.min(CHECK_BYTES, file.offset);
      const from = file.offset - overlap;
      const bytes = this.#block(isFarBehind ? largeBatchBytes * BLOCK_SHARE : 0);
      // It may have been written anew while nobody looked, and hold the same before the offset.
      if (!file.isBeginningKnown && !(await beginsAsKnown(file, handle))) return 'replaced';
      const end = await handle.read(bytes, 0, bytes.length, from);
      if (end < overlap || checkOf(bytes, 0, overlap) !== file.check) return 'replaced';
      // What a truncation beside the read left of it is read again.
      if (end > overlap && !stillHolds(handle, { bytes, from, end })) return 'more';
      file.sawBytes(bytes, from, end);
      file.isFresh = true;
      file.readTo = from + end;
      // It was written again since it was seen to rest.
      if (end < bytes.length && file.readTo !== file.size) file.isFinal = file.isQuiet = false;
      if (file.offset === 0 && end > 0 && bytes[0] === 0 && this.#framing.isText) {
        const passed = await this.#passHole(file, handle, bytes, end);
        if (passed !== null) return passed;
      }
      const place = { from, start: overlap, end, max: maxRecordBytes, timestamp: clock.now() };
      const block = this.#framing.open(file, bytes, place);
      let blockEnd = block.takeInto(batch);
      while (blockEnd === null && batch.count === 0) {
        batch.release();
        isHeld = false;
        batch = await this.#context.batch(block.recordBytes);
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

  /** Gives back the memory that a long record or a long file took. */
  trim(): void {
    this.#framing.trim();
    if (this.#bytes.length > BLOCK_BYTES) this.#bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#leastBytes = BLOCK_BYTES;
  }

  /**
   * Zeros before the first line are a hole: somebody who does not append wrote on where he was, into a file that was truncated. Null when there is none; 'end' when
   * there is nothing else, for it may be room that is kept for lines to come.
   */
  async #passHole(file: TailedFile, handle: InputFile, bytes: Buffer, end: number): Promise<BlockEnd | null> {
    const behind = await behindZeros(handle, { bytes, end, signal: this.#context.signal });
    if (behind < 0 && file.limit === Infinity) return 'end';
    const offset = behind < 0 ? file.limit : this.#framing.unitAt(behind);
    if (offset === 0) return null;
    file.passTo(offset, await checkBefore(handle, offset));
    const { path } = file;
    this.#context.log.warn({ path, bytes: offset }, 'zeros at the beginning of a file left out: no line begins so');
    return 'more';
  }

  #block(size: number): Buffer {
    const length = Math.max(size, this.#leastBytes);
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(length);
    return this.#bytes.subarray(0, length);
  }

  #grow(): void {
    // So much that a record of the limit fits, and one that is longer is seen to be.
    const most = Math.max(BLOCK_BYTES, CHECK_BYTES + this.#framing.longestBytes(this.#context.maxRecordBytes));
    this.#leastBytes = Math.min(this.#leastBytes * 2, most);
  }

  /** Waits only for the commit of refused lines, whose copies no budget counts. */
  async #emit(file: TailedFile, batch: BatchBuilder, rejected: readonly RejectedRecord[]): Promise<void> {
    const position = toPosition(file.position(this.#context.clock.monotonic()));
    file.isUnsaved = false;
    const emitted = this.#context.emit(batch, { stream: file.stream, positions: [[file.key, position]], rejected });
    this.#onEmitted(emitted, file);
    if (rejected.length > 0) await emitted;
  }
}

/** Of a file that was read in another life. */
async function beginsAsKnown(file: TailedFile, handle: InputFile): Promise<boolean> {
  file.isBeginningKnown = true;
  if (file.offset === 0 || file.head.length === 0) return true;
  return beginAlike(await readAt(handle, 0, HEAD_BYTES), file.head);
}
