/** A partition of one incarnation of a topic; a recreated topic of the same name has another incarnation. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** 8 characters of base64url: the first 48 bits of the topic's id. */
  readonly incarnation: string;
}

/** Header names to values; order is kept, names may repeat, a value may be null. */
export type Headers = Iterable<readonly [name: string, value: Uint8Array | null]>;

/**
 * A record as an object, built once per leg for expressions, templates and keys. `value` is decoded on first access by the
 * leg's `decode`; the getter throws `DECODE_INVALID`, `DECODE_DEPTH` or `DECODE_KEYS`.
 */
export interface DataRecord {
  readonly key: string | null;
  readonly value: unknown;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string | null>>;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * A batch as it is stored: offsets without gaps, the producers' timestamps, no control batch. `bytes` is a whole record batch v2 whose header may be
 * rewritten until the `write` settles.
 */
export interface StoredBatch {
  readonly partition: TopicPartition;
  readonly bytes: Buffer;
  /** Its records are [first, first + count) of the batch that it is part of. */
  readonly first: number;
  readonly count: number;
}

/**
 * Records in Kafka's batch layout. Accessors return views into the buffers behind it: valid until the `write` that got the
 * batch settles; nothing is copied or kept.
 */
export interface RecordBatch {
  readonly count: number;
  /** Bytes of all keys, values and headers together. */
  readonly byteLength: number;
  /** Which topic partitions the records came from, in order: `first` is the index of the run's first record. */
  readonly runs: readonly (TopicPartition & { readonly first: number; readonly count: number })[];
  value(index: number): Uint8Array | null;
  /** Bytes of the value; -1 for null. */
  valueLength(index: number): number;
  /** Copies the value into `target` at `at` and returns the position after it. A null value copies nothing. */
  copyValue(index: number, target: Uint8Array, at: number): number;
  key(index: number): Uint8Array | null;
  /** Milliseconds since the epoch. */
  timestamp(index: number): number;
  /** Exact up to 2^53. */
  offset(index: number): number;
  /** `topic+incarnation+partition+offset`. */
  id(index: number): string;
  /** The last value of the header `name`; undefined when there is none, null for a null value. */
  header(index: number, name: string): Uint8Array | null | undefined;
  headers(index: number): Headers;
  /** Built and decoded once per record and batch. */
  record(index: number): DataRecord;
  /**
   * The same records as whole stored batches, not opened, if the sink's definition says `sealed` and nothing else looks into the leg. Null for any other batch, as
   * for one of records that are tried again: its records are there by the other accessors only.
   */
  readonly sealed: readonly StoredBatch[] | null;
}

export interface BatchBuilder {
  readonly count: number;
  /** Bytes written so far. */
  readonly byteLength: number;
  /**
   * Synchronous; false when the record does not fit any more: emit, take another. Throws `RECORD_TOO_LARGE` beyond the
   * record limit. The bytes are copied.
   */
  append(value: Uint8Array | null, key?: Uint8Array | null, timestampMs?: number, headers?: Headers): boolean;
  /**
   * As `append` for the value `source[start, end)` without a key, and without a view object. Headers that many records in a row share are encoded once when each
   * gets the same list.
   */
  appendSlice(source: Uint8Array, start: number, end: number, timestampMs?: number, headers?: Headers): boolean;
  /** The state to `rollback` to, so that a request that turns out bad halfway leaves nothing. */
  mark(): number;
  rollback(mark: number): void;
  /** Gives the buffer back without emitting it. A builder that was emitted belongs to the engine. */
  release(): void;
}
