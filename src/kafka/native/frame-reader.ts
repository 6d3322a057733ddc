/** More than any answer that this client asks for. */
const MAXIMUM_FRAME_BYTES = 128 * 1024 * 1024;
const LENGTH_BYTES = 4;
const CORRELATION_BYTES = 4;
const HEAD_BYTES = LENGTH_BYTES + CORRELATION_BYTES;
/** Takes small answers whole, and of a large one what is copied once more. */
const FIRST_BYTES = 16 * 1024;

export interface FrameReaderOptions {
  /** Where a frame of `length` bytes is to lie; null when nobody waits for it. */
  readonly place: (correlationId: number, length: number) => Buffer | null;
  readonly onFrame: (correlationId: number, frame: Buffer) => void;
  /** What came is no frame that anybody waits for. `bytes` are those from its beginning on. Nothing is read any more. */
  readonly onAlien: (bytes: Buffer) => void;
}

/**
 * Cuts what a connection receives into frames: a length, then so many bytes that begin with a correlation id. What is missing of a frame is read to where the
 * frame lies: memory made for each read, that V8 counts and has to free, costs more than all the rest of reading.
 */
export class FrameReader {
  readonly #options: FrameReaderOptions;
  readonly #first = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** Bytes in `#first` of a frame whose head is not whole. */
  #held = 0;
  /** The frame whose head came, null between frames. */
  #frame: Buffer | null = null;
  #filled = 0;
  #hasEnded = false;

  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  /** Where the next bytes go. */
  get target(): Buffer {
    return this.#frame === null ? this.#first.subarray(this.#held) : this.#frame.subarray(this.#filled);
  }

  /** So many bytes were read into `target`. */
  took(count: number): void {
    if (this.#frame === null) this.#cut(this.#held + count);
    else if ((this.#filled += count) === this.#frame.length) this.#finish(this.#frame);
  }

  /** Nothing is written to anybody's memory any more. */
  end(): void {
    this.#hasEnded = true;
    this.#frame = null;
  }

  #cut(end: number): void {
    const first = this.#first;
    let at = 0;
    while (end - at >= LENGTH_BYTES) {
      const length = first.readInt32BE(at);
      const isHeadWhole = end - at >= HEAD_BYTES;
      const isLength = length >= CORRELATION_BYTES && length <= MAXIMUM_FRAME_BYTES;
      if (isLength && !isHeadWhole) break;
      const frame = isLength ? this.#options.place(first.readInt32BE(at + LENGTH_BYTES), length) : null;
      if (frame === null) {
        this.#options.onAlien(first.subarray(at, end));
        return;
      }
      const here = Math.min(length, end - at - LENGTH_BYTES);
      first.copy(frame, 0, at + LENGTH_BYTES, at + LENGTH_BYTES + here);
      at += LENGTH_BYTES + here;
      this.#filled = here;
      this.#frame = frame;
      if (here < length) break;
      this.#finish(frame);
      if (this.#hasEnded) return;
    }
    first.copyWithin(0, at, end);
    this.#held = end - at;
  }

  #finish(frame: Buffer): void {
    this.#frame = null;
    this.#options.onFrame(frame.readInt32BE(0), frame);
  }
}
