import type { Position, SourceFence, TopicPartition } from '../api/index.ts';
import type { BufferPool } from '../record/index.ts';

/** Where batches live between sources and sinks. One instance serves one pipeline. */
export interface TopicLog {
  /** Throws `TOPIC_UNKNOWN`. */
  describe(topic: string): TopicDescription;
  /** False while input is refused (disk or topic full): listeners then answer at once instead of waiting. */
  readonly accepting: boolean;
  /** True: a commit may wait for one partition of a topic (without a leader, say) while commits to others go on, so it pays to make several at a time. */
  readonly partitionsFailApart: boolean;
  /**
   * The one durable operation. In a partition of a topic requests take effect in the order of the calls, and those of a source that share a partition of its
   * positions are answered in it (on the embedded log all are, in both respects); the log groups those that wait. A position is saved only when all called
   * before that carried one of the same partition was made durable. The buffers belong to the caller again once it settles. Rejects with `LOG_FULL` (retryable), `LOG_IO`, `LOG_CLOSED`, `RECORD_TOO_LARGE` (a broker's limit) or
   * `KAFKA_FENCED`.
   *
   * On the embedded log it resolves when everything in the request is durable and visible, all of it or none. On Kafka it resolves when the batches are
   * acknowledged by all in-sync replicas; their positions are saved at the latest 100 ms or 16 MiB later, and with the answer when the request deletes one or
   * has nothing else. Of a rejected request no position is saved, while some of its batches may have become visible. For a source that is exact there, batches, positions
   * and dead letters are part of a transaction with those of other requests, and it resolves when that is committed: all of it or none. After a
   * rejection such a source commits nothing until its positions were asked for again.
   */
  commit(request: CommitRequest): Promise<void>;
  /** The saved positions of a source of this pipeline. `claim`: of these partitions, which from now on are this hub's to commit. */
  positions(source: string, claim?: PositionClaim): Promise<ReadonlyMap<string, Position>>;
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
  /** What the topic takes at the most as one batch, in bytes; Infinity where nothing is known of a limit. */
  readonly maxBatchBytes: number;
}

/** A whole record batch v2 in `bytes`, its CRC set; the log stamps the base offset, which the CRC does not cover. */
export interface SealedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly count: number;
}

export interface CommitRequest {
  /** Whose batches they are; unset for the dead letters of a sink. */
  readonly source?: string;
  readonly batches?: readonly SealedBatch[];
  /** `position` null deletes. */
  readonly positions?: readonly (readonly [source: string, partition: string, position: Position | null])[];
  readonly dedupe?: readonly { readonly source: string; readonly id: string; readonly atMs: number }[];
  /** Called where the buffers are the caller's again before it settles. */
  readonly onWritten?: () => void;
}

/** What a source got from its consumer group. */
export interface PositionClaim {
  readonly partitions: readonly string[];
  readonly fence: SourceFence;
}

export interface SubscribeOptions {
  /** The sink's name in its pipeline. */
  readonly sink: string;
  readonly topic: string;
  /** Where a sink without saved state starts; saved before it reads. */
  readonly start: 'earliest' | 'latest';
  /**
   * What the sink writes hangs on offsets and on the number of partitions: when the topic is another one than its state says, the sink stops with
   * `TOPIC_CHANGED` instead of beginning anew. Default false.
   */
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
  /**
   * Durably saves the next offsets wanted: on the embedded log in the pipeline's journal, with the group commit; on Kafka as those of the sink's consumer group,
   * where partitions that the group gave to others meanwhile are left out.
   */
  commit(offsets: readonly { readonly partition: number; readonly next: number }[]): Promise<void>;
  /** The offset after the last visible record, as last seen: for lag. */
  end(partition: number): number;
  /** The same, asked for now, of all partitions of the topic: for `run --once`. */
  ends(): Promise<readonly number[]>;
  /** What is saved for the sink, by partition, whoever saved it. Unset where nobody but this subscription does. */
  saved?(): Promise<ReadonlyMap<number, number>>;
  close(): Promise<void>;
}
