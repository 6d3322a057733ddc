import type { RecordView } from '../record/index.ts';

/**
 * Fetched bytes with the views on them. Freed when nobody holds it: the watermark does until every record is finished, a batch as long as its write
 * may look at the bytes.
 */
export class HeldChunk {
  /** All records, in order of their offsets. */
  readonly records: RecordView;
  readonly byteLength: number;
  readonly #onFree: (chunk: HeldChunk) => void;
  #holds = 1;

  constructor(records: RecordView, byteLength: number, onFree: (chunk: HeldChunk) => void) {
    this.records = records;
    this.byteLength = byteLength;
    this.#onFree = onFree;
  }

  hold(): void {
    if (this.#holds === 0) throw new Error('holding a chunk that is free');
    this.#holds++;
  }

  drop(): void {
    if (this.#holds === 0) throw new Error('dropping a chunk that is free');
    if (--this.#holds === 0) this.#onFree(this);
  }
}
