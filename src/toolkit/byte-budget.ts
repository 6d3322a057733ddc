import type { Clock } from '../api/index.ts';

interface Waiter {
  readonly bytes: number;
  isGranted: boolean;
  readonly grant: () => void;
}

/** Bytes that a listener may hold of input that is not in the topic yet. Without it a thousand connections hold a thousand bodies. */
export class ByteBudget {
  limitBytes: number;
  /** What all of them may hold together; null for that one itself. */
  readonly #whole: ByteBudget | null;
  #usedBytes = 0;
  readonly #waiters: Waiter[] = [];
  /** Those of which one waits for the whole, in the order in which they began to: nobody else gets anything before them. */
  readonly #starved = new Set<ByteBudget>();

  constructor(limitBytes: number, whole: ByteBudget | null = allListeners) {
    this.limitBytes = limitBytes;
    this.#whole = whole;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** False while the budget is spent or others wait. */
  tryTake(bytes: number): boolean {
    return this.#waiters.length === 0 && this.#grab(bytes);
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
    // It may be that only the whole has no room: then that one has to know who waits.
    this.#serve();
    await options.clock.sleep(options.timeoutMs, stopped.signal).catch(() => undefined);
    if (!waiter.isGranted) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      this.#serve();
      if (this.#whole !== null) this.#whole.#serveStarved();
    }
    return waiter.isGranted;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#serve();
    if (this.#whole === null) return;
    this.#whole.#usedBytes -= bytes;
    this.#whole.#serveStarved();
  }

  #grab(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.limitBytes) return false;
    if (this.#whole !== null && !this.#whole.#grabFor(this, bytes)) return false;
    this.#usedBytes += bytes;
    return true;
  }

  #grabFor(part: ByteBudget, bytes: number): boolean {
    const [first] = this.#starved;
    if (first !== undefined && first !== part) return false;
    return this.#grab(bytes);
  }

  #serve(): void {
    while (this.#waiters.length > 0 && this.#grab(this.#waiters[0]!.bytes)) this.#waiters.shift()!.grant();
    if (this.#whole === null) return;
    const [next] = this.#waiters;
    if (next !== undefined && this.#usedBytes + next.bytes <= this.limitBytes) this.#whole.#starved.add(this);
    else this.#whole.#starved.delete(this);
  }

  #serveStarved(): void {
    for (const part of this.#starved) {
      part.#serve();
      if (this.#starved.has(part)) return;
    }
  }
}

/** What the listeners of a worker may hold together; the worker sets its limit. */
export const allListeners: ByteBudget = new ByteBudget(Infinity, null);
