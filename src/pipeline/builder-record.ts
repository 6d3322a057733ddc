import type { DataRecord } from '../api/index.ts';
import type { RecordBatchBuilder } from '../record/index.ts';

/** A record that a source has appended, as the `key` expression sees it: it has no offset and no partition yet. Valid until the builder is released. */
export class BuilderRecord implements DataRecord {
  readonly topic: string;
  readonly partition = -1;
  readonly offset = -1;
  readonly #builder: RecordBatchBuilder;
  readonly #index: number;
  readonly #decode: (bytes: Uint8Array) => unknown;
  #value: { readonly decoded: unknown } | undefined;

  constructor(
    builder: RecordBatchBuilder,
    index: number,
    options: { topic: string; decode: (bytes: Uint8Array) => unknown },
  ) {
    this.#builder = builder;
    this.#index = index;
    this.topic = options.topic;
    this.#decode = options.decode;
  }

  get key(): string | null {
    return textOf(this.#builder.keyAt(this.#index));
  }

  get value(): unknown {
    if (this.#value === undefined) {
      const bytes = this.#builder.valueAt(this.#index);
      this.#value = { decoded: bytes === null ? null : this.#decode(bytes) };
    }
    return this.#value.decoded;
  }

  get timestamp(): number {
    return this.#builder.timestampAt(this.#index);
  }

  get headers(): Readonly<Record<string, string | null>> {
    const entries = [...this.#builder.headersAt(this.#index)].map(([name, value]) => [name, textOf(value)] as const);
    return Object.fromEntries(entries);
  }
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
