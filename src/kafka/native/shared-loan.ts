import type { PooledBuffer } from '../../record/index.ts';

/** One pooled buffer with chunks of several partitions: it goes back when the last of its holders lets go. */
export class SharedLoan {
  readonly #buffer: PooledBuffer;
  #holders = 1;

  constructor(buffer: PooledBuffer) {
    this.#buffer = buffer;
  }

  get bytes(): Buffer {
    return this.#buffer.bytes;
  }

  /** One more holder; what it returns lets go, once. */
  hold(): () => void {
    this.#holders++;
    let isHeld = true;
    return () => {
      if (!isHeld) throw new Error('releasing a chunk a second time');
      isHeld = false;
      this.letGo();
    };
  }

  /** For whoever made it. */
  letGo(): void {
    this.#holders--;
    if (this.#holders === 0) this.#buffer.release();
  }
}
