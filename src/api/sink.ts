import type { RecordBatch, TopicPartition } from './batch.ts';
import type { ConnectorContext } from './context.ts';
import type { SluiceError } from './errors.ts';

/**
 * What the engine does with a refusal: `retry` later (`retryAfterMs` as the server asked), `reject` to the dead letters, `split`
 * a batch that is too large together, `block` the leg until an operator acts, `skip` a record that is of no use to the target: it counts as left out.
 */
export type Disposition = 'retry' | 'reject' | 'split' | 'block' | 'skip';

export interface Failure {
  readonly disposition: Disposition;
  readonly retryAfterMs?: number;
  readonly error: SluiceError;
}

export interface RecordFailure extends Failure {
  /** Within the batch that was written. */
  readonly index: number;
}

/** `failures` empty: everything was accepted. Records that it does not name were accepted. `batch`: nothing is known to be written. */
export type WriteResult = { readonly failures: readonly RecordFailure[] } | { readonly batch: Failure };

export interface SinkContext extends ConnectorContext {
  /** Any time, from a timer too; the engine calls `flush` between two writes. */
  requestFlush(partitions: readonly TopicPartition[]): void;
  /** One line for the status display: "12 files published". */
  report(status: string): void;
  /**
   * Set while dead letters are replayed: records are older than others that were written since. Unless `resurrect`, a sink whose versions do not outlive a
   * deletion skips what its target does not have any more.
   */
  readonly replay?: { readonly resurrect: boolean };
}

/** Where a partition of a topic goes on. */
export interface AssignedPartition extends TopicPartition {
  /** The next offset wanted by the saved state; null when there is none. */
  readonly committed: number | null;
  /** Counts an operator's resets of the offset; a sink whose target remembers offsets obeys a higher one. */
  readonly reset: number;
}

export interface Sink {
  /** One attempt, no retries. Settles when the sink has taken the bytes; resolves with what was refused. */
  write(batch: RecordBatch): Promise<WriteResult>;
  /**
   * Sinks that become durable later (files): until it resolves nothing of these partitions is committed. Below `next` every
   * record was written, dropped by configuration, or dead-lettered. Never called beside `write`.
   */
  flush?(targets: readonly (TopicPartition & { readonly next: number })[]): Promise<void>;
  /** Sinks whose target knows what it has: the next offset wanted. Called before the first write of a partition. */
  assigned?(partitions: readonly AssignedPartition[]): Promise<readonly (TopicPartition & { readonly next: number })[]>;
  /** What was not flushed of these partitions is forgotten. */
  revoked?(partitions: readonly TopicPartition[]): Promise<void>;
  close(): Promise<void>;
}
