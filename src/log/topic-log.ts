import type { Position, TopicPartition } from '../api/index.ts';
import type { BufferPool } from '../record/index.ts';

/** Where batches live between sources and sinks. One instance serves one pipeline: what it commits is one unit. */
export interface TopicLog {
  /** Throws `TOPIC_UNKNOWN`. */
  describe(topic: string): TopicDescription;
  /** False while input is refused (disk or topic full): listeners then answer at once instead of waiting. */
  readonly accepting: boolean;
  /**
   * The one durable operation: resolves when everything in the request is durable and visible, all of it or none. Requests take
   * effect in the order of the calls; the log groups those that wait. Rejects with `LOG_FULL` (retryable), `LOG_IO` or `LOG_CLOSED`; a rejected request's bytes never
   * become visible. The buffers belong to the caller again once it settles.
   */
  commit(request: CommitRequest): Promise<void>;
  /** The saved positions of a source of this pipeline. */
  positions(source: string): Promise<ReadonlyMap<string, Position>>;
  /** Ids that were committed with `dedupe`, to the time of their commit. */
  dedupeIds(source: string): Promise<ReadonlyMap<string, number>>;
  subscribe(options: SubscribeOptions): Promise<TopicSubscription>;
  /** Resolves when what was committed is settled; everything that waits afterwards rejects with `LOG_CLOSED`. */
  close(): Promise<void>;
}

export interface TopicDescription {
  readonly name: string;
  readonly incarnation: string;
  readonly partitions: number;
}

/** A whole record batch v2 in `bytes`, its CRC set; the log stamps the base offset, which the CRC does not cover. */
export interface SealedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly count: number;
}

export interface CommitRequest {
  readonly batches?: readonly SealedBatch[];
  /** `position` null deletes. */
  readonly positions?: readonly (readonly [source: string, partition: string, position: Position | null])[];
  readonly dedupe?: readonly { readonly source: string; readonly id: string; readonly atMs: number }[];
}

export interface SubscribeOptions {
  /** The sink's name in its pipeline. */
  readonly sink: string;
  readonly topic: string;
  /** Where a sink without saved state starts; saved before it reads. */
  readonly start: 'earliest' | 'latest';
  /** The target's content hangs on the offsets of this incarnation and its number of partitions: `subscribe` throws `TOPIC_CHANGED` when the saved state knows others. */
  readonly keyed?: boolean;
  /** Fetched bytes live in its buffers: no free buffer, no fetch. */
  readonly pool: BufferPool;
  /** Read by at most so many bytes at once (one batch may exceed it). */
  readonly fetchBytes: number;
}

/** A partition that this subscription reads from now on. It stays paused until `seek`. */
export interface Assignment extends TopicPartition {
  readonly committed: number;
  readonly reset: number;
}

export type SubscriptionEvent =
  | { readonly type: 'assigned'; readonly partitions: readonly Assignment[] }
  /** Stop feeding, settle and commit what is in flight, then call `done`. */
  | { readonly type: 'revoked'; readonly partitions: readonly TopicPartition[]; readonly done: () => void }
  | { readonly type: 'chunk'; readonly chunk: FetchedChunk };

/** Whole stored batches of one partition, in order, in one pooled buffer. The receiver owns it until `release`. */
export interface FetchedChunk {
  readonly partition: TopicPartition;
  /** The stored batches, back to back. Its first batch may begin below `from`: skip those records. */
  readonly bytes: Buffer;
  readonly from: number;
  /** The offset after the last record of `bytes`. */
  readonly next: number;
  release(): void;
}

export interface TopicSubscription {
  /** Waits for the next event; null when the signal aborts. One call at a time. */
  next(signal: AbortSignal): Promise<SubscriptionEvent | null>;
  /** Reads on from `offset`; also ends a pause. */
  seek(partition: number, offset: number): void;
  pause(partition: number): void;
  resume(partition: number): void;
  /** Durably saves the next offsets wanted. On the embedded log in the pipeline's journal, with the group commit. */
  commit(offsets: readonly { readonly partition: number; readonly next: number }[]): Promise<void>;
  /** The offset after the last visible record, as last seen: for lag. */
  end(partition: number): number;
  /** The same, asked for now, of all partitions of the topic: for `run --once`. */
  ends(): Promise<readonly number[]>;
  close(): Promise<void>;
}
