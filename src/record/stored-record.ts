import type { DataRecord } from '../api/index.ts';

export type Decode = (bytes: Uint8Array) => unknown;

/** Where a record came from and what it holds, as `StoredRecord` needs it. */
export interface StoredFields {
  readonly keyBytes: Uint8Array | null;
  readonly valueBytes: Uint8Array | null;
  readonly headerList: () => Iterable<readonly [name: string, value: Uint8Array | null]>;
  readonly timestamp: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly decode: Decode;
}

/** A record as an object: each part is decoded when it is first looked at. A value that cannot be decoded throws the same error every time. */
export class StoredRecord implements DataRecord {
  readonly timestamp: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly #fields: StoredFields;
  #key: string | null | undefined;
  #headers: Readonly<Record<string, string | null>> | undefined;
  #value: unknown;
  #error: unknown;
  #isDecoded = false;

  constructor(fields: StoredFields) {
    this.#fields = fields;
    this.timestamp = fields.timestamp;
    this.topic = fields.topic;
    this.partition = fields.partition;
    this.offset = fields.offset;
  }

  get key(): string | null {
    return (this.#key ??= textOf(this.#fields.keyBytes));
  }

  get value(): unknown {
    if (!this.#isDecoded) this.#decodeValue();
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- what the decoder threw, as it was
    if (this.#error !== undefined) throw this.#error;
    return this.#value;
  }

  get headers(): Readonly<Record<string, string | null>> {
    return (this.#headers ??= headersOf(this.#fields.headerList()));
  }

  #decodeValue(): void {
    this.#isDecoded = true;
    const bytes = this.#fields.valueBytes;
    try {
      this.#value = bytes === null ? null : this.#fields.decode(bytes);
    } catch (error) {
      this.#error = error;
    }
  }
}

function headersOf(list: Iterable<readonly [string, Uint8Array | null]>): Record<string, string | null> {
  const headers: Record<string, string | null> = {};
  for (const [name, bytes] of list) {
    // By definition, not assignment: a header called `__proto__` stays data.
    const value = textOf(bytes);
    Object.defineProperty(headers, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return headers;
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
