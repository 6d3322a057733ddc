import { SluiceError, type Clock } from '../api/index.ts';
import type { StreamMemory } from './stream-memory.ts';

export interface StreamBufferOptions {
  /** Of all connections of a listener. */
  readonly memory: StreamMemory;
  readonly clock: Clock;
  /** How long a message may wait for memory. */
  readonly timeoutMs: number;
}

const NOTHING = Buffer.alloc(0);
const FIRST_BYTES = 1024;
/** A message that says how long it is gets room for at most so many times what has come of it: who says much and sends little shall not hold much. */
const AHEAD = 8;

/** Keeps the beginning of a message of which the rest has not come. What comes in whole messages is not copied, and an idle connection holds nothing. */
export class StreamBuffer {
  /** Since when (monotonic) the beginning of a message has been here; null without one. */
  begunAtMs: number | null = null;
  readonly #options: StreamBufferOptions;
  #bytes: Buffer = NOTHING;
  #held = 0;
  /** Of the message whose beginning is held, as far as that is known. */
  #messageBytes = 0;

  constructor(options: StreamBufferOptions) {
    this.#options = options;
  }

  /** The beginning that is held. Valid until the next call. */
  get held(): Buffer {
    return this.#bytes.subarray(0, this.#held);
  }

  /** What is held, with `bytes` behind it. A promise where it waits for memory, which is the back-pressure. `keep` has to be told what is left of it. */
  join(bytes: Buffer): Buffer | Promise<Buffer> {
    if (this.#held === 0) return bytes;
    const waits = this.#room(this.#held + bytes.length);
    return waits === null ? this.#append(bytes) : waits.then(() => this.#append(bytes));
  }

  /**
   * What `join` gave is read up to `start`; the rest is the beginning of a message, and stays. `messageBytes`: how long that message is at least. A promise where it
   * waits for memory.
   */
  keep(joined: Buffer, start: number, messageBytes = 0): Promise<void> | void {
    const left = joined.length - start;
    if (left === 0) {
      this.#held = 0;
      this.begunAtMs = null;
      if (this.#bytes.length > FIRST_BYTES) this.#letGo();
      return;
    }
    this.#messageBytes = messageBytes;
    if (start > 0 || this.begunAtMs === null) this.begunAtMs = this.#options.clock.monotonic();
    if (this.#held > 0) {
      this.#bytes.copyWithin(0, start, joined.length);
      this.#held = left;
      return;
    }
    const waits = this.#room(left);
    const copy = (): void => {
      this.#held = joined.copy(this.#bytes, 0, start);
    };
    if (waits !== null) return waits.then(copy);
    copy();
  }

  /** Gives all memory back. */
  release(): void {
    this.#held = 0;
    this.begunAtMs = null;
    this.#letGo();
  }

  #append(bytes: Buffer): Buffer {
    this.#held += bytes.copy(this.#bytes, this.#held);
    return this.held;
  }

  /** At least doubles, so that a large message is not copied for each piece of it; powers of two, so that other messages can use the same buffers. */
  #room(bytes: number): Promise<void> | null {
    const { length } = this.#bytes;
    if (bytes <= length) return null;
    const { memory } = this.#options;
    const wanted = Math.max(FIRST_BYTES, 2 * length, bytes, Math.min(this.#messageBytes, AHEAD * bytes));
    const size = Math.max(bytes, Math.min(2 ** Math.ceil(Math.log2(wanted)), memory.limitBytes));
    if (!memory.tryTake(size - length)) return this.#waitFor(size);
    this.#enlarge(size);
    return null;
  }

  async #waitFor(size: number): Promise<void> {
    const { memory, clock, timeoutMs } = this.#options;
    if (!(await memory.take(size - this.#bytes.length, { clock, timeoutMs })))
      throw new SluiceError('SOURCE_FAILED', 'there was no memory for this message in time');
    this.#enlarge(size);
  }

  #enlarge(size: number): void {
    const { memory } = this.#options;
    const larger = memory.buffer(size);
    this.#bytes.copy(larger, 0, 0, this.#held);
    memory.keep(this.#bytes);
    this.#bytes = larger;
  }

  #letGo(): void {
    const { memory } = this.#options;
    const bytes = this.#bytes;
    this.#bytes = NOTHING;
    memory.keep(bytes);
    if (bytes.length > 0) memory.give(bytes.length);
  }
}
