import { isUtf8 } from 'node:buffer';
import { SluiceError, type RecordBatch } from 'sluice/api';

/** Longest term that Lucene takes; with a longer one the whole request is refused. */
const MAX_KEY_BYTES = 32_766;
const MAX_OFFSET_DIGITS = 16;
const ZERO = 0x30;
const NOTHING = Buffer.alloc(0);

/** The ids of documents, as UTF-8 in `bytes[0, end)`: of the record that was asked for last. */
export interface Ids {
  readonly bytes: Uint8Array;
  readonly end: number;
  /** Called before the first record of a batch. */
  begin(batch: RecordBatch): void;
  /** Records of a batch may be asked for in any order, and again. Throws `SINK_REJECTED` when a record has none. */
  of(batch: RecordBatch, index: number): void;
}

/** Those of the records (`RecordBatch.id`), without a string per record: only the offset differs within a run. */
export class RecordIds implements Ids {
  bytes: Buffer = NOTHING;
  end = 0;
  #prefixEnd = 0;
  #first = 0;
  #afterLast = 0;

  begin(): void {
    this.#first = this.#afterLast = 0;
  }

  of(batch: RecordBatch, index: number): void {
    if (index < this.#first || index >= this.#afterLast) this.#enterRun(batch, index);
    let value = batch.offset(index);
    let digits = 1;
    for (let bound = 10; value >= bound; bound *= 10) digits++;
    const end = this.#prefixEnd + digits;
    for (let at = end; at > this.#prefixEnd; value = Math.floor(value / 10)) this.bytes[--at] = ZERO + (value % 10);
    this.end = end;
  }

  #enterRun(batch: RecordBatch, index: number): void {
    const run = batch.runs.find(({ first, count }) => index >= first && index < first + count)!;
    this.#first = run.first;
    this.#afterLast = run.first + run.count;
    const prefix = Buffer.from(`${run.topic}+${run.incarnation}+${run.partition}+`);
    this.#prefixEnd = prefix.length;
    this.bytes = Buffer.alloc(prefix.length + MAX_OFFSET_DIGITS);
    prefix.copy(this.bytes);
  }
}

/** The keys of the records. */
export class KeyIds implements Ids {
  bytes: Uint8Array = NOTHING;
  end = 0;

  begin(): void {
    this.bytes = NOTHING;
  }

  of(batch: RecordBatch, index: number): void {
    const key = batch.key(index);
    if (key === null || key.length === 0) throw refused('the record has no key');
    if (key.length > MAX_KEY_BYTES)
      throw refused(`the key has ${key.length} bytes, and terms at most ${MAX_KEY_BYTES}`);
    if (!isUtf8(key)) throw refused('the key is no UTF-8');
    this.bytes = key;
    this.end = key.length;
  }
}

export function idText({ bytes, end }: Ids): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, end).toString();
}

function refused(reason: string): SluiceError {
  return new SluiceError('SINK_REJECTED', `naming a document: ${reason}`);
}
