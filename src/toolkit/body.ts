import type { IncomingMessage } from 'node:http';
import type { Clock } from '../api/index.ts';
import type { ByteBudget } from './byte-budget.ts';
import { Refusal } from './refusal.ts';

const NOTHING = Buffer.alloc(0);
const FIRST_BUFFER_BYTES = 16 * 1024;
/** How long a body may wait for memory before its client is told to come back. */
export const MEMORY_WAIT_MS = 1000;

export interface BodyOptions {
  readonly maxBytes: number;
  /** What is taken is the caller's: `HeldBody.release` gives it back. */
  readonly budget: ByteBudget;
  readonly clock: Clock;
  /** The body is whole, or will never be. */
  readonly onSettled: () => void;
}

/** Bytes that count against a budget until they are released, when `bytes` are none any more: who waits for an answer must not keep them from being collected. */
export interface HeldBody {
  readonly bytes: Buffer;
  release(): void;
}

/**
 * Gathers a request's body in one buffer. Chunks are copied, not kept: a client that sends one byte a chunk would otherwise cost a hundred
 * times its bytes.
 */
export class BodyReader implements HeldBody {
  readonly whole: Promise<HeldBody>;
  receivedBytes = 0;
  readonly startedAtMs: number;
  lastByteAtMs: number;
  readonly #request: IncomingMessage;
  readonly #options: BodyOptions;
  #buffer: Buffer = NOTHING;
  #takenBytes = 0;
  #isSettled = false;
  #resolve!: (body: HeldBody) => void;
  #reject!: (error: Error) => void;

  constructor(request: IncomingMessage, options: BodyOptions) {
    this.#request = request;
    this.#options = options;
    this.startedAtMs = this.lastByteAtMs = options.clock.monotonic();
    this.whole = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    request.on('data', this.#onData);
    request.on('end', this.#onEnd);
    request.on('close', this.#onClose);
    request.on('error', this.#onClose);
  }

  /** All of them once `whole` has resolved. */
  get bytes(): Buffer {
    return this.#buffer;
  }

  /** Ends the reading; `whole` rejects. */
  fail(error: Error): void {
    if (!this.#settle()) return;
    this.release();
    this.#reject(error);
  }

  release(): void {
    const taken = this.#takenBytes;
    this.#takenBytes = 0;
    this.#buffer = NOTHING;
    if (taken > 0) this.#options.budget.give(taken);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isSettled) return;
    const needed = this.receivedBytes + chunk.length;
    if (needed > this.#options.maxBytes) {
      this.fail(tooLarge(this.#options.maxBytes));
      return;
    }
    this.lastByteAtMs = this.#options.clock.monotonic();
    if (needed <= this.#takenBytes) this.#copy(chunk);
    else this.#grow(chunk, needed);
  };

  #copy(chunk: Buffer): void {
    chunk.copy(this.#buffer, this.receivedBytes);
    this.receivedBytes += chunk.length;
  }

  #grow(chunk: Buffer, needed: number): void {
    const capacity = this.#capacityFor(needed);
    const more = capacity - this.#takenBytes;
    if (this.#options.budget.tryTake(more)) {
      this.#grown(chunk, capacity);
      return;
    }
    this.#request.pause();
    void this.#options.budget
      .take(more, { clock: this.#options.clock, timeoutMs: MEMORY_WAIT_MS })
      .then((isGranted) => {
        if (this.#isSettled) {
          if (isGranted) this.#options.budget.give(more);
        } else if (isGranted) {
          this.#grown(chunk, capacity);
          this.#request.resume();
        } else this.fail(outOfMemory());
      });
  }

  #grown(chunk: Buffer, capacity: number): void {
    this.#takenBytes = capacity;
    // A body that came in one piece, the usual case, needs no copy.
    if (this.receivedBytes === 0 && chunk.length === capacity) {
      this.#buffer = chunk;
      this.receivedBytes = chunk.length;
      return;
    }
    const larger = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(larger, 0, 0, this.receivedBytes);
    this.#buffer = larger;
    this.#copy(chunk);
  }

  /** As much as was announced once half of it is here: an announcement alone must not cost memory. */
  #capacityFor(needed: number): number {
    const announced = Number(this.#request.headers['content-length'] ?? NaN);
    const doubled = Math.max(FIRST_BUFFER_BYTES, needed, 2 * this.#takenBytes);
    const capacity = announced >= needed && announced <= doubled ? announced : doubled;
    return Math.min(capacity, this.#options.maxBytes);
  }

  readonly #onEnd = (): void => {
    if (!this.#settle()) return;
    if (this.#buffer.length > this.receivedBytes) this.#buffer = this.#buffer.subarray(0, this.receivedBytes);
    this.#resolve(this);
  };

  readonly #onClose = (): void => {
    this.fail(new ClientGone());
  };

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#request.removeListener('data', this.#onData);
    this.#request.removeListener('end', this.#onEnd);
    this.#request.removeListener('close', this.#onClose);
    this.#options.onSettled();
    return true;
  }
}

/** The client went away before its message was whole: nobody is left to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';

  constructor() {
    super('the client closed the connection before its request was whole');
  }
}

/** What the headers tell about a body that will be refused. */
export function checkAnnouncedBody(request: IncomingMessage, maxBytes: number): void {
  const coding = request.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    throw new Refusal(
      501,
      `the transfer coding ${JSON.stringify(coding)} is not known; use chunked, and Content-Encoding for compression`,
    );
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

export function outOfMemory(): Refusal {
  return new Refusal(429, 'too much input is in flight; send it again later', { retryAfterSeconds: 1 });
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(413, `the body is larger than ${maxBytes} bytes; send it in smaller requests`);
}
