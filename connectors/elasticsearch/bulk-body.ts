import { SluiceError, type RecordBatch, type RecordFailure } from 'sluice/api';
import { ByteWriter } from 'sluice/codec';
import type { ActionWriter } from './action-writer.ts';
import type { Documents } from './document-writer.ts';

interface Writers {
  readonly actions: ActionWriter;
  readonly documents: Documents;
  readonly maxBytes: number;
}

/** The body of a bulk request, written straight from a batch into bytes that are used again. */
export class BulkBody {
  readonly #writers: Writers;
  readonly #writer = new ByteWriter();
  /** The record of each action. */
  #records = new Uint32Array(0);
  #count = 0;
  #refused: RecordFailure[] = [];

  constructor(writers: Writers) {
    this.#writers = writers;
  }

  /** Valid until the next `fill`. */
  get bytes(): Buffer {
    return this.#writer.bytes.subarray(0, this.#writer.length);
  }

  /** Where actions go that name no index; null when all of them do. */
  get index(): string | null {
    return this.#writers.actions.requestIndex;
  }

  /** Actions in it. */
  get count(): number {
    return this.#count;
  }

  /** Records that no action can be made of. */
  get refused(): readonly RecordFailure[] {
    return this.#refused;
  }

  /** The index in the batch of the record that an action was made of. */
  recordOf(action: number): number {
    return this.#records[action]!;
  }

  /** False when the batch is too large for one request; what the body holds means nothing then. `left`: records that are skipped. */
  fill(batch: RecordBatch, left: ReadonlySet<number> | null = null): boolean {
    const { actions, maxBytes } = this.#writers;
    const writer = this.#writer;
    writer.length = 0;
    this.#count = 0;
    this.#refused = [];
    if (this.#records.length < batch.count) this.#records = new Uint32Array(batch.count);
    if (batch.byteLength > maxBytes && batch.count > 1) return false;
    actions.begin(batch);
    for (let index = 0; index < batch.count; index++) {
      if (left?.has(index) === true) {
        this.#refused.push({ index, disposition: 'skip', error: gone() });
        continue;
      }
      const start = writer.length;
      const error = this.#add(batch, index);
      if (error === null) this.#records[this.#count++] = index;
      else {
        writer.length = start;
        this.#refused.push({ index, disposition: 'reject', error });
      }
      if (writer.length > maxBytes) return false;
    }
    return true;
  }

  #add(batch: RecordBatch, index: number): SluiceError | null {
    const { actions, documents } = this.#writers;
    try {
      actions.write(batch, index, this.#writer);
    } catch (error) {
      if (error instanceof SluiceError) return error;
      throw error;
    }
    return actions.hasDocument(batch, index) ? documents.write(batch, index, this.#writer) : null;
  }
}

function gone(): SluiceError {
  return new SluiceError('SINK_REJECTED', 'replaying a document: it is not there any more');
}
