import type { JsonWriter } from './json-writer.ts';
import type { CodecLimits } from './limits.ts';
import type { Vectors } from './vectors.ts';

const NOTHING = Buffer.alloc(0);

/** Has MessagePack values written as JSON by vectors, through a window that is moved over their bytes. */
export class MsgpackWindow {
  readonly #vectors: Vectors;
  readonly #limits: CodecLimits;
  #source: Buffer = NOTHING;
  #sourceEnd = 0;
  /** The part of the source that is in the window, unless somebody else's is. */
  #from = 0;
  #to = 0;

  constructor(vectors: Vectors, limits: CodecLimits) {
    this.#vectors = vectors;
    this.#limits = limits;
  }

  /** Values lie in `source[…, end)` from now on. */
  open(source: Buffer, end: number): void {
    this.#source = source;
    this.#sourceEnd = end;
    this.#from = this.#to = 0;
  }

  /** Appends the value at `at` to `json` and returns where it ends; -1, and nothing appended, when it is left to JavaScript. */
  write(at: number, json: JsonWriter): number {
    const vectors = this.#vectors;
    if (vectors.holder !== this || at < this.#from || at >= this.#to) this.#move(at);
    let end = vectors.writeMsgpack(at - this.#from, this.#to - this.#from, this.#limits);
    if (end === vectors.cutOff && this.#from < at && this.#to < this.#sourceEnd) {
      this.#move(at);
      end = vectors.writeMsgpack(0, this.#to - this.#from, this.#limits);
    }
    if (end < vectors.output) return -1;
    json.slice(vectors.bytes, vectors.output, end);
    return this.#from + vectors.readUpTo;
  }

  #move(at: number): void {
    this.#from = at;
    this.#to = Math.min(this.#sourceEnd, at + this.#vectors.windowBytes);
    this.#vectors.load(this, this.#source, this.#from, this.#to);
  }
}
