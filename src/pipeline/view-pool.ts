import { RecordView } from '../record/index.ts';

const KEPT = 16;

/** Views to use again: their index arrays are the larger part of what reading costs. */
export class ViewPool {
  readonly #decode: (bytes: Uint8Array) => unknown;
  readonly #free: RecordView[] = [];

  constructor(decode: (bytes: Uint8Array) => unknown) {
    this.#decode = decode;
  }

  take(): RecordView {
    return this.#free.pop() ?? new RecordView({ decode: this.#decode });
  }

  give(view: RecordView): void {
    view.clear();
    if (this.#free.length < KEPT) this.#free.push(view);
  }
}
