import type { Clock, DataRecord } from '../api/index.ts';
import type { BufferPool, Compression } from '../record/index.ts';
import type { DeadLetterOrigin, DeadLetterTarget } from './dead-letter.ts';
import type { Partitioner } from './partitioner.ts';

/** Where a source's records go, and how. */
export interface SourceTarget {
  readonly source: string;
  readonly topic: string;
  readonly partitions: number;
  readonly compression: Compression;
  readonly maxRecordBytes: number;
  /** What the topic takes at the most as one batch. */
  readonly maxBatchBytes: number;
  readonly partitioner: Partitioner;
  /** The `key` expression; null: bytes pass as they are. */
  readonly keyOf: ((record: DataRecord) => Uint8Array | null) | null;
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Null for `dead_letter: off`. */
  readonly deadLetter: DeadLetterTarget | null;
  readonly origin: DeadLetterOrigin;
  readonly pool: BufferPool;
  readonly clock: Clock;
}
