import { ByteBudget } from './byte-budget.ts';

/** Smaller ones cost little to make. */
const SMALLEST_KEPT_BYTES = 64 * 1024;
const MOST_KEPT_BYTES = 4 * 1024 * 1024;

/** The budget of all connections of a listener, with a few buffers kept beside it for the next messages: the pages of fresh ones cost more than what is copied into them. */
export class StreamMemory extends ByteBudget {
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;

  /** So many bytes, for what was taken from the budget. */
  buffer(bytes: number): Buffer {
    const index = this.#kept.findIndex(({ length }) => length === bytes);
    if (index < 0) return Buffer.allocUnsafeSlow(bytes);
    this.#keptBytes -= bytes;
    return this.#kept.splice(index, 1)[0]!;
  }

  /** Nobody uses it any more. */
  keep(buffer: Buffer): void {
    const { length } = buffer;
    if (length < SMALLEST_KEPT_BYTES || this.#keptBytes + length > MOST_KEPT_BYTES) return;
    this.#kept.push(buffer);
    this.#keptBytes += length;
  }
}
