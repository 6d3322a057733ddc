import type { BatchBuilder } from './batch.ts';
import type { ConnectorContext, Json } from './context.ts';
import type { SluiceError } from './errors.ts';

/** Where a source stands in one of its partitions. Opaque to the engine. */
export type Position = Json;

/** A piece of input that was refused for good: it becomes a dead letter in the same commit as the batch beside it. */
export interface RejectedRecord {
  /** The engine trims it to the record limit. The bytes belong to the engine until the emit settles. */
  readonly value: Uint8Array | null;
  readonly error: SluiceError;
  /** Where it stood, for people: `access.log@1048576`. */
  readonly position: string;
}

export interface EmitOptions {
  /** The file or connection, for `partition_by: source`. One emit is one stream. */
  readonly stream?: string;
  /**
   * Saved in the same commit as the records. Each speaks for this emit and for those before it that carried one of the same partition, and is saved only when
   * all of these are durable; of emits with other partitions it says nothing.
   */
  readonly positions?: Iterable<readonly [partition: string, position: Position]>;
  readonly rejected?: readonly RejectedRecord[];
  /** Ids of requests in this batch; `SourceContext.seen` knows them from then on, within the window, after a crash too. */
  readonly dedupeIds?: readonly string[];
}

export interface SealedEmitOptions extends Omit<EmitOptions, 'rejected'> {
  /** Called once when the bytes are the caller's again: when the topic has them, at the latest when the emit settles. */
  readonly release?: () => void;
}

/** What keeps a member of a consumer group from committing positions of partitions that the group gave to others. */
export interface SourceFence {
  /** The id of the Kafka cluster that the group is on. */
  readonly cluster: string;
  /** What the group shall save together with these positions, and as whom; null: one of the partitions is no longer this member's. */
  offsetsOf(positions: readonly (readonly [partition: string, position: Position])[]): FencedOffsets | null;
}

export interface FencedOffsets {
  readonly group: string;
  readonly generation: number;
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly offsets: readonly { readonly topic: string; readonly partition: number; readonly next: number }[];
}

export interface SourceContext extends ConnectorContext {
  /** True for `run --once`: a following source ends at the end that it saw at the start. */
  readonly once: boolean;
  /** A record's limit in bytes. */
  readonly maxRecordBytes: number;
  /** How many bytes to ask a batch for where more lies ready than a default one holds. Larger ones would starve the others of the leg. */
  readonly largeBatchBytes: number;
  /** Waits while the budget is spent: the back-pressure. As large as asked for; the engine splits it into Kafka batches. Rejects when the signal aborts. */
  batch(minimumBytes?: number): Promise<BatchBuilder>;
  /** For listeners that would rather refuse than wait. Null while the budget is spent or the topic log refuses input. */
  tryBatch(minimumBytes?: number): BatchBuilder | null;
  /**
   * Resolves once every record is durable in the topic: in order of the calls among those that carry positions of one partition, and among those without
   * positions that are of one stream. Rejects when that could not be confirmed: a source that can rewind
   * is then aborted and restarted from its checkpoints; any other tells its client and goes on.
   * A builder without records still commits its positions. The builder belongs to the engine from the call on.
   */
  emit(batch: BatchBuilder, options?: EmitOptions): Promise<void>;
  /**
   * The record format of the topic is Kafka's own: a leg that looks into no record takes batches as they were fetched. Null when this leg has to look
   * (it has a `key`, say): its records go through `batch` and `emit`.
   * `batches` are whole stored batches v2 back to back, each without gaps in its offsets, with the producers' timestamps and no control batch. The bytes belong to the engine until it calls `release`; otherwise
   * as `emit`. Throws what a batch is no batch by, and releases nothing then.
   */
  readonly emitSealed: ((batches: Buffer, options?: SealedEmitOptions) => Promise<void>) | null;
  /**
   * The saved positions, fresh; of the given partitions, or of all. `fence`: whose partitions they are from then on, for a source that shares them with
   * others through a consumer group. Its emits may carry positions of one partition each.
   */
  load(partitions?: readonly string[], fence?: SourceFence): Promise<ReadonlyMap<string, Position>>;
  /** Deletes the checkpoint, durably, behind the emits so far that carried a position of this partition: the file is gone for good. */
  forget(partition: string): Promise<void>;
  /** Was this id committed within the window? */
  seen(dedupeId: string): boolean;
  /** One line for the status display: "listening :8080", "2 files, following". A source placed `every` is starting until its first, and its hub not ready. */
  report(status: string): void;
}

export interface Source {
  /** Ends when the input ends or the signal aborts. A rejection: the engine restarts it from the checkpoints, with back-off. */
  run(context: SourceContext): Promise<void>;
}
