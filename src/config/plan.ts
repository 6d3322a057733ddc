import type { Json, OutboundRules, SourceDefinition } from '../api/index.ts';
import type { Compression } from '../record/index.ts';

/**
 * What validated configuration becomes: plain data that crosses to worker threads. Connector options stay as written, with references
 * unresolved; the worker converts them (`convert.ts`). All times are milliseconds, all sizes bytes, all paths absolute.
 */
export interface HubPlan {
  /** The hub file; null when none was found and defaults hold. */
  readonly file: string | null;
  /** Null for the embedded log; else the options of the Kafka client as written, references unresolved (`kafkaSettings` resolves them where the client is opened). */
  readonly kafka: Json | null;
  readonly dataDir: string;
  readonly group: string;
  /** Overrides the id made once in the data folder. */
  readonly host: string | null;
  /** Null switches the API off. */
  readonly api: { readonly host: string; readonly port: number } | null;
  /** Worker threads for shared pipelines. */
  readonly workers: number;
  /** Bytes of record buffers of one worker. */
  readonly bufferBytes: number;
  /** Bytes that the listeners of one worker may hold together. */
  readonly listenerBytes: number;
  /** A worker above it (heap + external) is ended and its pipelines restarted. */
  readonly workerMemoryBytes: number;
  /** An event loop blocked for so long is ended. */
  readonly watchdogMs: number;
  readonly drainMs: number;
  readonly references: ReferenceRules;
  /** Where connectors may connect to. */
  readonly outbound: OutboundRules;
  readonly pipelines: readonly PipelinePlan[];
}

/** Which references pipeline files may use. Patterns with `*`; files by absolute folder prefix. */
export interface ReferenceRules {
  readonly env: readonly string[];
  readonly file: readonly string[];
}

export interface PipelinePlan {
  readonly name: string;
  /** Absolute; relative paths of options are relative to its folder. */
  readonly file: string;
  readonly isolation: 'shared' | 'thread';
  readonly topic: TopicPlan;
  readonly sources: readonly SourcePlan[];
  readonly sinks: readonly SinkPlan[];
  readonly deadLetter: DeadLetterPlan;
  /** Identifies this version of the pipeline: 12 hex digits of a hash of its text. */
  readonly configHash: string;
}

export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  /** Of a Kafka topic that is created; null: the broker's default. */
  readonly replicationFactor: number | null;
  /** Settings of a Kafka topic that is created, by Kafka's names. */
  readonly config: Readonly<Record<string, string>>;
  readonly compression: Compression;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly maxRecordBytes: number;
}

export interface LegPlan {
  readonly name: string;
  readonly connector: string;
  readonly options: Json;
  readonly decode: 'json' | 'text' | 'bytes';
}

export interface SourcePlan extends LegPlan {
  /** An expression; its result is the record's key. */
  readonly key: string | null;
  readonly partitionBy: 'source' | 'batch';
  readonly delivery: 'at_least_once' | 'exactly_once';
  /** Of its definition: where it runs when hubs share a group, and whether its input can be read again. */
  readonly placement: SourceDefinition['placement'];
  readonly rewinds: boolean;
}

export interface SinkPlan extends LegPlan {
  /** Of its definition: what it is given. */
  readonly takes: 'records' | 'ranges';
  readonly where: string | null;
  readonly start: 'earliest' | 'latest';
  readonly batch: { readonly maxRecords: number; readonly maxBytes: number; readonly maxAgeMs: number };
  readonly retry: { readonly minMs: number; readonly maxMs: number };
}

export interface DeadLetterPlan {
  /** Null for `dead_letter: off`: the leg pauses instead. */
  readonly topic: string | null;
  readonly maxBytes: number;
  /** Pause when within a minute more than so many records, and this share of all, were refused; null for never. */
  readonly maxRate: { readonly records: number; readonly share: number } | null;
}
