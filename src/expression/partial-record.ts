import type { DataRecord } from '../api/index.ts';
import type { JsonFields } from '../codec/index.ts';
import type { RecordView } from '../record/index.ts';

export type ViewCondition = (view: RecordView, index: number) => boolean;

/** A stored record of whose value only the fields are decoded that are looked for. One object serves all records; nothing is read before it is asked for. */
export class PartialRecord implements DataRecord {
  readonly #fields: JsonFields;
  #view!: RecordView;
  #index = 0;
  #value: unknown;
  #isPartial = false;

  constructor(fields: JsonFields) {
    this.#fields = fields;
  }

  /** The record from now on. */
  use(view: RecordView, index: number): void {
    this.#view = view;
    this.#index = index;
    this.#value = undefined;
    this.#isPartial = false;
  }

  /** Was the value asked for, and is it not the whole one? */
  get isPartial(): boolean {
    return this.#isPartial;
  }

  get value(): unknown {
    return (this.#value ??= this.#readFields() ?? this.#view.record(this.#index).value);
  }

  get key(): string | null {
    return this.#view.record(this.#index).key;
  }

  get headers(): DataRecord['headers'] {
    return this.#view.record(this.#index).headers;
  }

  get topic(): string {
    return this.#view.record(this.#index).topic;
  }

  get partition(): number {
    return this.#view.record(this.#index).partition;
  }

  get timestamp(): number {
    return this.#view.timestamp(this.#index);
  }

  get offset(): number {
    return this.#view.offset(this.#index);
  }

  #readFields(): object | null {
    const length = this.#view.valueLength(this.#index);
    if (length < 0) return null;
    const start = this.#view.valueStart(this.#index);
    const fields = this.#fields.read(this.#view.bytesAround(this.#index), start, start + length);
    this.#isPartial = fields !== null;
    return fields;
  }
}
