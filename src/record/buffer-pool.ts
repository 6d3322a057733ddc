const DEFAULT_BUFFER_BYTES = 256 * 1024;

/** Bytes on loan from a pool. */
export interface PooledBuffer {
  readonly bytes: Buffer;
  /** Gives the bytes back; the second call throws, for by then they may be somebody else's. */
  release(): void;
}

interface Waiter {
  readonly bytes: number;
  readonly grant: (buffer: PooledBuffer) => void;
}

/**
 * The byte budget of a leg. Back-pressure is made of this: without a free buffer there is no read, no fetch, and HTTP answers 429. Buffers are
 * kept for the next request, so what a pool holds in memory, on loan or not, stays within its budget.
 */
export class BufferPool {
  readonly budgetBytes: number;
  readonly #bufferBytes: number;
  readonly #openBytes: number;
  #usedBytes = 0;
  #reserveLoans = 0;
  /** Buffers to hand out again, by size. */
  readonly #free = new Map<number, Buffer[]>();
  #freeBytes = 0;
  readonly #waiters: Waiter[] = [];
  readonly #reserveWaiters: Waiter[] = [];

  /** Of `budgetBytes` the part `reserveBytes` (default 0) is for requests that ask for the reserve. `bufferBytes` is 256 KiB by default. */
  constructor(options: { budgetBytes: number; bufferBytes?: number; reserveBytes?: number }) {
    this.budgetBytes = options.budgetBytes;
    this.#bufferBytes = options.bufferBytes ?? DEFAULT_BUFFER_BYTES;
    this.#openBytes = options.budgetBytes - (options.reserveBytes ?? 0);
  }

  /** Bytes on loan. Above the budget only while a single request was larger than it, or a reserve request came when even the reserve was spent. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * A buffer of at least `minimumBytes`; null while the budget is spent or others wait. A request larger than the whole budget is granted when nothing
   * else is out. `reserve` requests use the reserve too, pass those that wait, and one of them is always granted: dead letters cannot wait for
   * the very records that wait for them.
   */
  tryAcquire(minimumBytes = this.#bufferBytes, reserve = false): PooledBuffer | null {
    const waiters = reserve ? this.#reserveWaiters : this.#waiters;
    return waiters.length > 0 ? null : this.#take(this.#sizeFor(minimumBytes), reserve);
  }

  /** As `tryAcquire`, but waits its turn; requests are served in order. Rejects with the signal's reason when it aborts. */
  acquire(minimumBytes: number, signal: AbortSignal, reserve = false): Promise<PooledBuffer> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const free = this.tryAcquire(minimumBytes, reserve);
    return free === null ? this.#wait(minimumBytes, signal, reserve) : Promise.resolve(free);
  }

  #wait(minimumBytes: number, signal: AbortSignal, reserve: boolean): Promise<PooledBuffer> {
    const waiters = reserve ? this.#reserveWaiters : this.#waiters;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        waiters.splice(waiters.indexOf(waiter), 1);
        reject(signal.reason as Error);
        // The one that left may have been the large request that held back small ones.
        this.#serve();
      };
      const waiter: Waiter = {
        bytes: this.#sizeFor(minimumBytes),
        grant: (buffer) => {
          signal.removeEventListener('abort', onAbort);
          resolve(buffer);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      waiters.push(waiter);
    });
  }

  /** Whole multiples of the buffer size, so that large buffers find a second user. */
  #sizeFor(minimumBytes: number): number {
    return Math.max(1, Math.ceil(minimumBytes / this.#bufferBytes)) * this.#bufferBytes;
  }

  #take(bytes: number, reserve: boolean): PooledBuffer | null {
    const limit = reserve ? this.budgetBytes : this.#openBytes;
    const isAlone = reserve ? this.#reserveLoans === 0 : this.#usedBytes === 0;
    if (this.#usedBytes + bytes > limit && !isAlone) return null;
    this.#usedBytes += bytes;
    if (reserve) this.#reserveLoans++;
    return new Loan(this.#allocate(bytes), (buffer) => {
      this.#usedBytes -= bytes;
      if (reserve) this.#reserveLoans--;
      this.#keep(buffer);
      this.#serve();
    });
  }

  #allocate(bytes: number): Buffer {
    const kept = this.#free.get(bytes)?.pop();
    if (kept !== undefined) {
      this.#freeBytes -= bytes;
      return kept;
    }
    this.#dropFreeFor(0);
    return Buffer.allocUnsafeSlow(bytes);
  }

  #keep(buffer: Buffer): void {
    this.#dropFreeFor(buffer.length);
    if (this.#usedBytes + this.#freeBytes + buffer.length > this.budgetBytes) return;
    const kept = this.#free.get(buffer.length);
    if (kept === undefined) this.#free.set(buffer.length, [buffer]);
    else kept.push(buffer);
    this.#freeBytes += buffer.length;
  }

  /** Kept buffers of other sizes give way, so that they do not hold memory that the budget counts as free. */
  #dropFreeFor(bytes: number): void {
    for (const [size, kept] of this.#free) {
      while (this.#usedBytes + this.#freeBytes + bytes > this.budgetBytes && kept.pop() !== undefined) {
        this.#freeBytes -= size;
      }
    }
  }

  #serve(): void {
    this.#serveInOrder(this.#reserveWaiters, true);
    this.#serveInOrder(this.#waiters, false);
  }

  #serveInOrder(waiters: Waiter[], reserve: boolean): void {
    while (waiters.length > 0) {
      const buffer = this.#take(waiters[0]!.bytes, reserve);
      if (buffer === null) return;
      waiters.shift()!.grant(buffer);
    }
  }
}

class Loan implements PooledBuffer {
  readonly #bytes: Buffer;
  #giveBack: ((buffer: Buffer) => void) | null;

  constructor(bytes: Buffer, giveBack: (buffer: Buffer) => void) {
    this.#bytes = bytes;
    this.#giveBack = giveBack;
  }

  get bytes(): Buffer {
    if (this.#giveBack === null) throw new Error('reading a buffer that was released');
    return this.#bytes;
  }

  release(): void {
    if (this.#giveBack === null) throw new Error('releasing a buffer a second time');
    const giveBack = this.#giveBack;
    this.#giveBack = null;
    giveBack(this.#bytes);
  }
}
