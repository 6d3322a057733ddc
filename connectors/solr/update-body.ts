import { SluiceError, type RecordBatch, type RecordFailure } from 'sluice/api';
import { ByteWriter } from 'sluice/codec';
import type { DocumentWriter } from './document-writer.ts';
import type { Ids } from './ids.ts';

const COMMA = 0x2c;
const OPEN_BRACKET = Buffer.from('[');
const CLOSE_BRACKET = Buffer.from(']');
const OPEN_BRACE = Buffer.from('{');
const CLOSE_BRACE = Buffer.from('}');
const ADD = Buffer.from('"add":{"doc":');
const DELETE = Buffer.from('"delete":{"id":');

/** Records that go into one request, by their index in the batch. */
class RecordList {
  #indexes = new Uint32Array(64);
  count = 0;

  at(place: number): number {
    return this.#indexes[place]!;
  }

  clear(): void {
    this.count = 0;
  }

  push(index: number): void {
    if (this.count === this.#indexes.length) {
      const larger = new Uint32Array(2 * this.count);
      larger.set(this.#indexes);
      this.#indexes = larger;
    }
    this.#indexes[this.count++] = index;
  }

  /** Drops those that `keeps` says no to; the others stay in their order. */
  filter(keeps: (index: number) => boolean): void {
    let kept = 0;
    for (let place = 0; place < this.count; place++) {
      const index = this.#indexes[place]!;
      if (keeps(index)) this.#indexes[kept++] = index;
    }
    this.count = kept;
  }
}

export interface BodyWriters {
  readonly ids: Ids;
  readonly documents: DocumentWriter;
  /** Records without a value delete, so that a request is a list of commands; else it is one of documents. */
  readonly deletes: boolean;
  /** Each deletion is a request of its own, for it carries its version: the body holds none. */
  readonly deletesApart: boolean;
}

/** The body of an update request, written straight from a batch into bytes that are used again. */
export class UpdateBody {
  /** What it is made of: those that were written, once it is filled. */
  readonly records = new RecordList();
  /** Records that delete, and are no part of the body. */
  readonly deletions = new RecordList();
  /** Records that no document can be made of. */
  refused: RecordFailure[] = [];
  /** Does it add anything? */
  adds = 0;
  readonly #writers: BodyWriters;
  readonly #writer = new ByteWriter();

  constructor(writers: BodyWriters) {
    this.#writers = writers;
  }

  /** Of its own: other bodies may ask theirs about other batches meanwhile. */
  get ids(): Ids {
    return this.#writers.ids;
  }

  /** Valid until the next `fill`. */
  get bytes(): Buffer {
    return this.#writer.bytes.subarray(0, this.#writer.length);
  }

  /** Writes what `records` names. Deletions that go apart are kept from one `fill` to the next. */
  fill(batch: RecordBatch): void {
    const writer = this.#writer;
    const { deletes, deletesApart } = this.#writers;
    writer.length = 0;
    this.adds = 0;
    this.#writers.ids.begin(batch);
    writer.copy(deletes ? OPEN_BRACE : OPEN_BRACKET);
    this.records.filter((index) => {
      if (deletesApart && batch.valueLength(index) < 0) {
        this.deletions.push(index);
        return false;
      }
      const start = writer.length;
      if (start > 1) writer.byte(COMMA);
      const error = this.#write(batch, index);
      if (error === null) return true;
      writer.length = start;
      this.refused.push({ index, disposition: 'reject', error });
      return false;
    });
    writer.copy(deletes ? CLOSE_BRACE : CLOSE_BRACKET);
  }

  #write(batch: RecordBatch, index: number): SluiceError | null {
    const { ids, documents, deletes } = this.#writers;
    const writer = this.#writer;
    try {
      ids.of(batch, index);
      if (deletes && batch.valueLength(index) < 0) {
        writer.copy(DELETE);
        writer.quoted(ids.bytes, ids.end);
        writer.copy(CLOSE_BRACE);
        return null;
      }
      if (deletes) writer.short(ADD);
      const error = documents.write(batch, index, ids, writer);
      if (error === null && deletes) writer.short(CLOSE_BRACE);
      if (error === null) this.adds++;
      return error;
    } catch (error) {
      if (error instanceof SluiceError) return error;
      throw error;
    }
  }
}
