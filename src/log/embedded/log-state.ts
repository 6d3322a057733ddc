import type { ErrorCode } from '../../api/index.ts';
import type { LogLimits } from './limits.ts';
import type { MarkCounts } from './marks.ts';

/** What the data folder has to know of a pipeline. Sizes in bytes, times in milliseconds. */
export interface PipelineLogPlan {
  readonly pipeline: string;
  readonly topic: {
    readonly name: string;
    readonly partitions: number;
    readonly retentionMs: number;
    readonly retentionBytes: number;
  };
  /** Without sources it only reads the topic, which another pipeline writes. */
  readonly writesTopic: boolean;
  /** `parked`: where those go that were refused too often, when somebody is about to write them. */
  readonly deadLetter: { readonly topic: string; readonly maxBytes: number; readonly parked?: string } | null;
  readonly sources: readonly string[];
  readonly sinks: readonly { readonly name: string; readonly topic: string }[];
}

/** Why something cannot be used, as it crosses to a worker. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
}

export type Retention =
  | { readonly kind: 'topic'; readonly maxMs: number; readonly maxBytes: number }
  /** Keeps everything; full is full. */
  | { readonly kind: 'dead_letter'; readonly maxBytes: number };

export interface TopicLogState {
  readonly name: string;
  readonly id: string;
  readonly partitions: number;
  readonly owner: string;
  /** Of its first partition among the marks of all partitions; the others follow. */
  readonly slot: number;
  readonly retention: Retention | null;
  readonly fault: Fault | null;
  /** By partition: what sinks have saved whose pipelines or names are not in this run; null for none. */
  readonly fixedFloors: readonly (number | null)[];
}

interface SinkLogState {
  readonly sink: string;
  readonly topic: string;
  /** Of its first partition among the floors. */
  readonly slot: number;
}

export interface PipelineLogState {
  readonly pipeline: string;
  readonly fault: Fault | null;
  readonly sinks: readonly SinkLogState[];
}

/** What workers need to open the log: plain data and shared memory. */
export interface EmbeddedLogState {
  readonly dataDir: string;
  readonly limits: LogLimits;
  readonly shared: SharedArrayBuffer;
  readonly counts: MarkCounts;
  /** The index of a topic is its number among the turns. */
  readonly topics: readonly TopicLogState[];
  /** Likewise for who has opened what. */
  readonly pipelines: readonly PipelineLogState[];
  /** A journal cannot be read, so nobody knows what its sinks still need: nothing is deleted. */
  readonly keepsEverything: boolean;
}
