import { readBatchHeader } from '../record/index.ts';

/** Stored batches on their way into another topic, unopened. `release` gives the bytes back to the emitter. */
export class SealedRecords {
  readonly batches: readonly { readonly bytes: Buffer; readonly count: number }[];
  readonly count: number;
  readonly byteLength: number;
  readonly #onFree: () => void;

  /** Throws `RECORD_CORRUPT` and `RECORD_UNSUPPORTED`. */
  constructor(chunk: Buffer, onFree: () => void = () => undefined) {
    const batches: { bytes: Buffer; count: number }[] = [];
    let records = 0;
    for (let at = 0; at < chunk.length;) {
      const { byteLength, count } = readBatchHeader(chunk, at);
      batches.push({ bytes: chunk.subarray(at, at + byteLength), count });
      records += count;
      at += byteLength;
    }
    this.batches = batches;
    this.count = records;
    this.byteLength = chunk.length;
    this.#onFree = onFree;
  }

  release(): void {
    this.#onFree();
  }
}
