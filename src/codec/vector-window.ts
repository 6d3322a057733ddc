import type { Vectors } from './vectors.ts';

const NOTHING = Buffer.alloc(0);

/** The part of some bytes that lies in the memory of vectors: it is moved as they are read on, and whenever others had theirs there. */
export class VectorWindow {
  readonly vectors: Vectors;
  /** What lies there is `[from, to)` of the bytes. */
  from = 0;
  to = 0;
  #bytes: Buffer = NOTHING;
  #end = 0;

  constructor(vectors: Vectors) {
    this.vectors = vectors;
  }

  /** From now on it is a part of `bytes[…, end)`, which must not change while they are read. */
  open(bytes: Buffer, end: number): void {
    this.#bytes = bytes;
    this.#end = end;
    this.from = this.to = 0;
  }

  /** Keeps hold of no bytes. */
  forget(): void {
    this.open(NOTHING, 0);
  }

  /** Sees to it that what is at `at` lies there. */
  reach(at: number): void {
    if (this.vectors.holder !== this || at < this.from || at >= this.to) this.#move(at);
  }

  /** Makes it begin at `at`. False when it does already, or when it goes as far as `end` anyway: there is no more of it to be seen. */
  moveOn(at: number, end = this.#end): boolean {
    if (this.from === at || this.to >= end) return false;
    this.#move(at);
    return true;
  }

  #move(at: number): void {
    this.from = at;
    this.to = Math.min(this.#end, at + this.vectors.windowBytes);
    this.vectors.load(this, this.#bytes, this.from, this.to);
  }
}
