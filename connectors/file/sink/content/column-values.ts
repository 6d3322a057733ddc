import type { RecordBatch } from 'sluice/api';
import { JsonFields } from 'sluice/codec';

/** The values of records, of objects only the members that columns are made of: what else is in them costs no more than a walk over its bytes. */
export class ColumnValues {
  #fields: JsonFields | null;
  #isChecked = false;
  #bytes = Buffer.alloc(1024);

  /** `paths`: of all columns, from the record inwards. */
  constructor(paths: readonly (readonly string[])[]) {
    const members = paths.filter(([first]) => first === 'value').map(([, ...names]) => names);
    const isWhole = members.some((names) => names.length === 0 || names.includes('__proto__'));
    this.#fields = isWhole || members.length === 0 ? null : new JsonFields(members);
  }

  /** Throws what the decoding of the value throws. */
  of(batch: RecordBatch, index: number): unknown {
    const length = batch.valueLength(index);
    if (this.#fields === null || length < 0) return batch.record(index).value;
    if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(2 * length);
    batch.copyValue(index, this.#bytes, 0);
    const members = this.#fields.read(this.#bytes, 0, length);
    if (members === null || !this.#isChecked) return this.#decoded(batch, index);
    return members;
  }

  /** With another `decode` than json a value is no object, whatever its bytes look like. The first value that looks like one tells. */
  #decoded(batch: RecordBatch, index: number): unknown {
    const { value } = batch.record(index);
    if (typeof value === 'string' || value instanceof Uint8Array) this.#fields = null;
    else if (typeof value === 'object' && value !== null && !Array.isArray(value)) this.#isChecked = true;
    return value;
  }
}
