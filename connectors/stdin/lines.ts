const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** A line of a `LineCutter`: good until the next `feed`. */
export interface LineMark {
  readonly start: number;
  readonly skipped: number;
  readonly offset: number;
}

/**
 * Cuts an input into lines, without an object per line: after `next` returned true the line is `bytes[start, end)`, without its line feed or carriage
 * return and line feed. Of a line longer than the limit it holds the beginning only, whatever else comes.
 */
export class LineCutter {
  bytes = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** Where the line begins, counted from the beginning of the input. */
  lineOffset = 0;
  /** Of the line, in bytes; more than `end - start` when it is too long. */
  lineLength = 0;
  readonly #maxBytes: number;
  /** Bytes of the line, at its end, that are not held. */
  #lineSkipped = 0;
  /** Behind the last byte that was fed. */
  #fedEnd = 0;
  /** Where the next line begins in `bytes`, and in the input. */
  #at = 0;
  #offset = 0;
  /** Bytes of the unfinished line that were let go of. */
  #skipped = 0;
  #hasEnded = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isTooLong(): boolean {
    return this.lineLength > this.#maxBytes;
  }

  /** Adds input. The bytes are copied; lines found before are valid no more. */
  feed(chunk: Buffer): void {
    // With a carriage return at its end a line may have one byte more than the limit.
    const kept = Math.min(this.#fedEnd - this.#at, this.#maxBytes + 1);
    this.#skipped += this.#fedEnd - this.#at - kept;
    // Behind the limit only the last byte matters: it may be that carriage return.
    if (kept > this.#maxBytes) this.bytes[this.#at + kept - 1] = this.bytes[this.#fedEnd - 1]!;
    const needed = kept + chunk.length;
    const target = needed <= this.bytes.length ? this.bytes : Buffer.allocUnsafeSlow(needed * 2);
    this.bytes.copy(target, 0, this.#at, this.#at + kept);
    chunk.copy(target, kept);
    this.bytes = target;
    this.#at = 0;
    this.#fedEnd = needed;
  }

  /** The input is over: what is left is a line, although no line feed ends it. */
  finish(): void {
    this.#hasEnded = true;
  }

  /** Goes to the next line; false when there is no whole one. */
  next(): boolean {
    const feed = this.bytes.subarray(0, this.#fedEnd).indexOf(LINE_FEED, this.#at);
    if (feed < 0 && !(this.#hasEnded && this.#at < this.#fedEnd)) return false;
    const behind = feed < 0 ? this.#fedEnd : feed;
    const total = behind - this.#at + this.#skipped;
    const isReturned = behind > this.#at && this.bytes[behind - 1] === CARRIAGE_RETURN;
    this.start = this.#at;
    this.lineOffset = this.#offset;
    this.#lineSkipped = this.#skipped;
    this.lineLength = isReturned ? total - 1 : total;
    this.end = this.start + Math.min(this.lineLength, this.#maxBytes);
    this.#at = feed < 0 ? behind : behind + 1;
    this.#offset += feed < 0 ? total : total + 1;
    this.#skipped = 0;
    return true;
  }

  /** The line, to come back to it. */
  mark(): LineMark {
    return { start: this.start, skipped: this.#lineSkipped, offset: this.lineOffset };
  }

  /** Goes back to a line. */
  rewind({ start, skipped, offset }: LineMark): void {
    this.#at = start;
    this.#skipped = skipped;
    this.#offset = offset;
    this.next();
  }
}
