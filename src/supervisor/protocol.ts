import type { Json } from '../api/index.ts';
import type { HubPlan } from '../config/index.ts';
import type { EmbeddedLogState } from '../log/index.ts';
import type { PipelineEnd, PipelineEvent, PipelineStatus } from '../pipeline/index.ts';
import type { LogEntry, LogLevel, MetricsDelta } from '../telemetry/index.ts';
import type { Beat } from './beat.ts';

/** Known when the thread starts, which may be before the configuration is read. */
export interface WorkerData {
  readonly beat: Beat;
  readonly beatMs: number;
  readonly logLevel: LogLevel;
}

/** What a worker needs to run pipelines. Plain data and shared memory. */
export interface WorkerSetup {
  readonly plan: HubPlan;
  readonly hubId: string;
  readonly log: WorkerLog;
  readonly once: boolean;
}

/** Where topics live. `options`: of the Kafka client as written, references unresolved. */
export type WorkerLog =
  { readonly kind: 'embedded'; readonly state: EmbeddedLogState } | { readonly kind: 'kafka'; readonly options: Json };

export type ToWorker =
  | { readonly type: 'setup'; readonly setup: WorkerSetup; readonly pipelines: readonly string[] }
  /** Once more, after its topic log was lost and recovered. */
  | { readonly type: 'start'; readonly pipeline: string }
  | { readonly type: 'resume'; readonly pipeline: string }
  /** Drain everything, then end. */
  | { readonly type: 'stop'; readonly deadlineMs: number };

export type FromWorker =
  | { readonly type: 'event'; readonly event: PipelineEvent }
  /** What the pipeline's topic log waits for, in words; null while it goes on. */
  | { readonly type: 'waiting'; readonly pipeline: string; readonly reason: string | null }
  | { readonly type: 'report'; readonly statuses: readonly PipelineStatus[]; readonly metrics: MetricsDelta }
  | { readonly type: 'log'; readonly entry: LogEntry }
  /** The pipeline ended, its log is closed. */
  | { readonly type: 'ended'; readonly pipeline: string; readonly end: PipelineEnd }
  /** The pipeline could not be started. */
  | { readonly type: 'refused'; readonly pipeline: string; readonly reason: string; readonly isFinal: boolean }
  /** Everything ended; the thread does, too. */
  | { readonly type: 'stopped' };
