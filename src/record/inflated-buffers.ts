/** Less may share its memory with other small buffers, and weighs nothing. */
const SMALLEST_BYTES = 64 * 1024;
/** Kept for the next batches; what is given back beyond it is freed. */
const MOST_KEPT_BYTES = 16 * 1024 * 1024;

/**
 * Memory for what batches are inflated into, used again and again: V8 takes what codecs make anew for growth of its heap, and marks all of it to find what is free,
 * several times a second, which costs more than to inflate. So a copy is made, and what the codec made is freed at once.
 */
export class InflatedBuffers {
  /** By size. */
  readonly #kept = new Map<number, ArrayBuffer[]>();
  #keptBytes = 0;

  /** The parts that `source` was inflated into, together. They are freed, unless they lie in `source` itself, or are small: those are the collector's. */
  join(parts: readonly Buffer[], source: Buffer): Buffer {
    let length = 0;
    for (const part of parts) length += part.length;
    const [only] = parts;
    if (parts.length === 1 && (length < SMALLEST_BYTES || only!.buffer === source.buffer)) return only!;
    if (length < SMALLEST_BYTES) return Buffer.concat(parts, length);
    const joined = Buffer.from(this.#take(length), 0, length);
    let at = 0;
    for (const part of parts) {
      at += part.copy(joined, at);
      if (part.length >= SMALLEST_BYTES && part.buffer !== source.buffer) free(part.buffer);
    }
    return joined;
  }

  /** Did `join` take memory for these bytes, which `give` wants back? */
  owns(bytes: Buffer, source: Buffer): boolean {
    return bytes.length >= SMALLEST_BYTES && bytes.buffer !== source.buffer;
  }

  give({ buffer }: Buffer): void {
    const { byteLength } = buffer;
    if (!(buffer instanceof ArrayBuffer) || this.#keptBytes + byteLength > MOST_KEPT_BYTES) {
      free(buffer);
      return;
    }
    this.#keptBytes += byteLength;
    const kept = this.#kept.get(byteLength);
    if (kept === undefined) this.#kept.set(byteLength, [buffer]);
    else kept.push(buffer);
  }

  /** Powers of two: each size finds its next user soon, and pages that nobody writes to are no memory. */
  #take(length: number): ArrayBuffer {
    const size = 2 ** Math.ceil(Math.log2(length));
    const kept = this.#kept.get(size)?.pop();
    if (kept === undefined) return Buffer.allocUnsafeSlow(size).buffer;
    this.#keptBytes -= size;
    return kept;
  }
}

function free(buffer: ArrayBufferLike): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Those of this thread. */
export const inflatedBuffers = new InflatedBuffers();
