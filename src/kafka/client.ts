import type { BufferPool } from '../record/index.ts';

/**
 * What the rest of Sluice knows of a Kafka cluster: the same for both drivers. Connections are made when first needed and again after they broke.
 * Calls retry what is retryable (brokers down, leaders and coordinators on the move) until their signal aborts or the client is closed, and say so
 * through `onWait`; they reject with a `KAFKA_…` error for what waiting does not mend.
 */
export interface KafkaClient {
  readonly driver: 'native' | 'kafkajs';
  features(signal?: AbortSignal): Promise<KafkaFeatures>;
  cluster(signal?: AbortSignal): Promise<KafkaCluster>;
  /** Of these topics, or of all (null), those that exist, as the cluster knows them now. */
  topics(names: readonly string[] | null, signal?: AbortSignal): Promise<readonly KafkaTopic[]>;
  /** Of the given partitions, or of all. `timestampMs`: the first offset at or after it, the end when there is none. Rejects with `TOPIC_UNKNOWN`. */
  offsets(topic: string, at: OffsetAt, options?: OffsetsOptions): Promise<ReadonlyMap<number, number>>;
  /** False: it was there already, as it is. */
  createTopic(topic: NewKafkaTopic, signal?: AbortSignal): Promise<boolean>;
  /** A topic that does not exist is no error. */
  deleteTopic(name: string, signal?: AbortSignal): Promise<void>;
  /** Gives up the records of a partition below `before`. Rejects with `TOPIC_UNKNOWN`, or `KAFKA_REFUSED` for an offset behind the end. */
  deleteRecords(
    topic: string,
    at: { readonly partition: number; readonly before: number },
    signal?: AbortSignal,
  ): Promise<void>;
  /** Rejects with `TOPIC_UNKNOWN`. */
  topicConfig(name: string, signal?: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /** Changes the named settings only; null sets one back to its default. */
  alterTopicConfig(name: string, changes: Readonly<Record<string, string | null>>, signal?: AbortSignal): Promise<void>;
  /** The saved offsets of a group, by topic and partition; empty for a group that does not exist. */
  groupOffsets(group: string, signal?: AbortSignal): Promise<readonly GroupOffset[]>;
  /** Null when the group does not exist. */
  describeGroup(group: string, signal?: AbortSignal): Promise<KafkaGroup | null>;
  /** Sets saved offsets of a group without members; null deletes one. Rejects with `KAFKA_REFUSED` while the group has members. */
  setGroupOffsets(
    group: string,
    offsets: readonly { readonly topic: string; readonly partition: number; readonly next: number | null }[],
    signal?: AbortSignal,
  ): Promise<void>;
  /** A group that does not exist is no error. */
  deleteGroup(group: string, signal?: AbortSignal): Promise<void>;
  /** With a transactional id it resolves when the id is initialised: whoever used it before is fenced from then on. */
  openProducer(options: ProducerOptions): Promise<KafkaProducer>;
  /** Reads partitions of the caller's choice, without a group. Nothing is read before `seek`. */
  openReader(options: ReaderOptions): KafkaReader;
  /** Reads what a consumer group assigns. Each assigned partition stays still until `seek`. */
  joinGroup(options: MemberOptions): KafkaMember;
  /** Ends producers, readers, members and connections; what waits rejects with `KAFKA_CLOSED`. Members leave their groups unless they are static. */
  close(): Promise<void>;
}

export interface KafkaFeatures {
  /** Kafka 0.11 and later with the native driver. */
  readonly transactions: boolean;
  /** Topics have ids: 2.8 and later. */
  readonly topicIds: boolean;
  /** The group protocol of KIP-848: 4.0 and later. */
  readonly consumerProtocol: boolean;
  /** Compression that brokers before 2.1 do not know. */
  readonly zstd: boolean;
}

export interface KafkaCluster {
  readonly id: string;
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[];
}

export interface KafkaTopic {
  readonly name: string;
  /** 8 characters of base64url: the first 48 bits of the topic's id, of brokers without ids of a hash of cluster id and name. */
  readonly incarnation: string;
  /** By number, without gaps. */
  readonly partitions: readonly { readonly leader: number; readonly replicas: number; readonly inSync: number }[];
  readonly isInternal: boolean;
}

/** `stable`: what read_committed sees as the end. */
export type OffsetAt = 'earliest' | 'latest' | 'stable' | { readonly timestampMs: number };

export interface OffsetsOptions {
  readonly partitions?: readonly number[];
  readonly signal?: AbortSignal;
}

export interface NewKafkaTopic {
  readonly name: string;
  /** -1: the broker's default. */
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config?: Readonly<Record<string, string>>;
  /** Only asks whether it would be created; nothing changes. */
  readonly validateOnly?: boolean;
}

export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  readonly next: number;
}

export interface KafkaGroup {
  readonly state: string;
  readonly protocol: 'classic' | 'consumer';
  readonly members: readonly { readonly id: string; readonly instanceId: string | null; readonly host: string }[];
}

export interface ProducerOptions {
  /** Without one the producer is idempotent only. */
  readonly transactionalId?: string;
  /** Default 60 s; an open transaction older than this is aborted by the broker. */
  readonly transactionTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface KafkaProducer {
  /**
   * Takes a sealed batch v2 (`sealBatch`, or one as it was fetched): stamps producer fields and checksum into `bytes`, which are the caller's again once it
   * settles. Resolves with the base offset when all in-sync replicas have it (-1: the broker knew it as a repetition and no longer knows where). Batches of a
   * partition are written in the order of the calls, once each, across leader changes. Waits for ever while brokers are away; rejects with
   * `RECORD_TOO_LARGE`, `TOPIC_UNKNOWN`, `KAFKA_DENIED`, `KAFKA_FENCED` or `KAFKA_REFUSED` when this batch is refused for good: later ones go on.
   */
  send(topic: string, partition: number, bytes: Buffer): Promise<number>;
  /** A transaction begins with the first `send` or `sendOffsets`. Resolves when it is committed; `KAFKA_TRANSACTION` (it was aborted, send again), `KAFKA_FENCED` (never again). */
  commitTransaction(): Promise<void>;
  abortTransaction(): Promise<void>;
  /** Offsets of a consumer group as part of the transaction. */
  sendOffsets(
    group: GroupGeneration,
    offsets: readonly { readonly topic: string; readonly partition: number; readonly next: number }[],
  ): Promise<void>;
  /** Nothing goes on: it was fenced or closed, or nobody knows how its last transaction ended, which one opened anew under the same id finds out. */
  readonly isOver: boolean;
  /** Has another instance initialised the transactional id since? Whoever was replaced must not open it again. False where it cannot be asked, before Kafka 3.0. */
  wasReplaced(): Promise<boolean>;
  /** What it waits for, in words, once that has lasted a second; null while it goes on. */
  readonly waitingFor: string | null;
  /** What was not acknowledged rejects with `KAFKA_CLOSED`. */
  close(): Promise<void>;
}

/** What fences the offsets of a member that was replaced. */
export interface GroupGeneration {
  readonly group: string;
  readonly generation: number;
  readonly memberId: string;
  readonly instanceId: string | null;
}

export interface ReaderOptions {
  readonly isolation: 'read_committed' | 'read_uncommitted';
  /** Fetched bytes live in its buffers: no free buffer, no fetch. */
  readonly pool: BufferPool;
  /** Read by at most so many bytes at once (one batch may exceed it). */
  readonly fetchBytes: number;
}

export interface MemberOptions extends ReaderOptions {
  readonly group: string;
  /** Names, or a pattern of names that is looked at again as topics come and go. */
  readonly topics: readonly string[] | { readonly pattern: RegExp };
  /** `group.instance.id`: a member that comes back within the session time-out keeps its partitions. */
  readonly instanceId: string | null;
  /** `classic`: cooperative-sticky, right under eager groups too. `consumer`: KIP-848. */
  readonly protocol: 'classic' | 'consumer';
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
}

export interface KafkaTopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly incarnation: string;
}

export type KafkaEvent =
  | { readonly type: 'chunk'; readonly chunk: KafkaChunk }
  /** The next offset that the group saved; null when it saved none. */
  | {
      readonly type: 'assigned';
      readonly partitions: readonly (KafkaTopicPartition & { readonly committed: number | null })[];
    }
  /** Stop, settle and commit, then call `done`. `isLost`: the group went on without this member, commits are refused. */
  | {
      readonly type: 'revoked';
      readonly partitions: readonly KafkaTopicPartition[];
      readonly isLost: boolean;
      readonly done: () => void;
    }
  /** The offset that was asked for is not in the partition, which holds [earliest, latest]: it is still until `seek`. */
  | {
      readonly type: 'out-of-range';
      readonly partition: KafkaTopicPartition;
      readonly offset: number;
      readonly earliest: number;
      readonly latest: number;
    }
  /** The topic was deleted, or recreated: its partitions are still. */
  | { readonly type: 'topic-changed'; readonly topic: string; readonly incarnation: string | null };

/**
 * Whole stored batches of one partition, in order, in one pooled buffer. With `read_committed` without the batches of aborted transactions; control batches
 * never. `bytes` may be empty: then nothing lies in [from, next) but what was left out.
 */
export interface KafkaChunk {
  readonly partition: KafkaTopicPartition;
  readonly bytes: Buffer;
  /** The first batch may begin below it: skip those records. */
  readonly from: number;
  /** The offset to read on from. */
  readonly next: number;
  release(): void;
}

export interface KafkaReader {
  /** Waits for the next event; null when the signal aborts. One call at a time. Rejects with what waiting does not mend. */
  next(signal: AbortSignal): Promise<KafkaEvent | null>;
  /** Reads on from `offset`; also ends a pause. Chunks of before are not delivered any more. */
  seek(topic: string, partition: number, offset: number): void;
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
  /** The end as last seen, by the isolation; 0 before the first fetch. */
  end(topic: string, partition: number): number;
  /** What it waits for, in words, once that has lasted a second; null while it goes on. */
  readonly waitingFor: string | null;
  close(): Promise<void>;
}

export interface KafkaMember extends KafkaReader {
  /** Saves the next offsets wanted, with the member's generation. Rejects with `KAFKA_REBALANCED` when a partition is no longer this member's. */
  commit(
    offsets: readonly { readonly topic: string; readonly partition: number; readonly next: number }[],
  ): Promise<void>;
  /** Null before the first assignment. */
  readonly generation: GroupGeneration | null;
  /** The generation that may commit offsets of these; null when one of them is no longer this member's, or it is no member. */
  generationOf(partitions: readonly { readonly topic: string; readonly partition: number }[]): GroupGeneration | null;
}
