import type { Clock } from '../api/index.ts';

interface Waiter {
  readonly bytes: number;
  isGranted: boolean;
  readonly grant: () => void;
}

/** Bytes that a listener may hold of input that is not in the topic yet. Without it a thousand connections hold a thousand bodies. */
export class ByteBudget {
  readonly limitBytes: number;
  #usedBytes = 0;
  readonly #waiters: Waiter[] = [];

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** False while the budget is spent or others wait. */
  tryTake(bytes: number): boolean {
    if (this.#waiters.length > 0 || this.#usedBytes + bytes > this.limitBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** As `tryTake`, but waits its turn up to `timeoutMs`; false when it did not come. */
  async take(bytes: number, options: { readonly clock: Clock; readonly timeoutMs: number }): Promise<boolean> {
    if (this.tryTake(bytes)) return true;
    const stopped = new AbortController();
    const waiter: Waiter = {
      bytes,
      isGranted: false,
      grant: () => {
        waiter.isGranted = true;
        stopped.abort();
      },
    };
    this.#waiters.push(waiter);
    await options.clock.sleep(options.timeoutMs, stopped.signal).catch(() => undefined);
    if (!waiter.isGranted) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      this.#serve();
    }
    return waiter.isGranted;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#serve();
  }

  #serve(): void {
    while (this.#waiters.length > 0 && this.#usedBytes + this.#waiters[0]!.bytes <= this.limitBytes) {
      const waiter = this.#waiters.shift()!;
      this.#usedBytes += waiter.bytes;
      waiter.grant();
    }
  }
}
