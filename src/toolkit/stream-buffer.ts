import { SluiceError, type Clock } from '../api/index.ts';
import type { ByteBudget } from './byte-budget.ts';

export interface StreamBufferOptions {
  /** Of all connections of a listener. */
  readonly budget: ByteBudget;
  readonly clock: Clock;
  /** How long a message may wait for memory. */
  readonly timeoutMs: number;
}

const NOTHING = Buffer.alloc(0);
const FIRST_BYTES = 1024;

/** Keeps the beginning of a message of which the rest has not come. What comes in whole messages is not copied, and an idle connection holds nothing. */
export class StreamBuffer {
  /** Since when (monotonic) the beginning of a message has been here; null without one. */
  begunAtMs: number | null = null;
  readonly #options: StreamBufferOptions;
  #bytes: Buffer = NOTHING;
  #held = 0;
  #isReleased = false;

  constructor(options: StreamBufferOptions) {
    this.#options = options;
  }

  /** The beginning that is held. Valid until the next call. */
  get held(): Buffer {
    return this.#bytes.subarray(0, this.#held);
  }

  /** What is held, with `bytes` behind it. Waits for memory, which is the back-pressure. `keep` has to be told what is left of it. */
  async join(bytes: Buffer): Promise<Buffer> {
    if (this.#held === 0) return bytes;
    await this.#room(this.#held + bytes.length);
    bytes.copy(this.#bytes, this.#held);
    this.#held += bytes.length;
    return this.held;
  }

  /** What `join` gave is read up to `start`; the rest is the beginning of a message, and stays. */
  async keep(joined: Buffer, start: number): Promise<void> {
    if (this.#isReleased) return;
    const left = joined.length - start;
    if (left === 0) {
      this.#held = 0;
      this.begunAtMs = null;
      if (this.#bytes.length > FIRST_BYTES) this.#letGo();
      return;
    }
    if (start > 0 || this.begunAtMs === null) this.begunAtMs = this.#options.clock.monotonic();
    if (this.#held > 0) this.#bytes.copyWithin(0, start, joined.length);
    else {
      await this.#room(left);
      joined.copy(this.#bytes, 0, start);
    }
    this.#held = left;
  }

  /** Gives all memory back; nothing is held any more, and nothing will be. */
  release(): void {
    this.#isReleased = true;
    this.#held = 0;
    this.begunAtMs = null;
    this.#letGo();
  }

  /** At least doubles, so that a large message is not copied for each piece of it. */
  async #room(bytes: number): Promise<void> {
    if (bytes <= this.#bytes.length) return;
    const { budget, clock, timeoutMs } = this.#options;
    const size = Math.max(FIRST_BYTES, 2 * this.#bytes.length, bytes);
    const more = size - this.#bytes.length;
    if (!budget.tryTake(more) && !(await budget.take(more, { clock, timeoutMs })))
      throw new SluiceError('SOURCE_FAILED', 'there was no memory for this message in time');
    if (this.#isReleased) {
      budget.give(more);
      throw new SluiceError('SOURCE_FAILED', 'the connection is gone');
    }
    const larger = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(larger, 0, 0, this.#held);
    this.#bytes = larger;
  }

  #letGo(): void {
    const { length } = this.#bytes;
    this.#bytes = NOTHING;
    if (length > 0) this.#options.budget.give(length);
  }
}
