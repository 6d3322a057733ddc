import type { PipelineStatus, SinkStatus, SourceStatus } from '../pipeline/index.ts';
import type { SupervisedState } from './state.ts';

/** Records of all starts of a pipeline in this run of the hub. */
export interface Totals {
  readonly recordsIn: number;
  /** Over all sinks. */
  readonly delivered: number;
  readonly dropped: number;
  readonly deadLettered: number;
}

export interface SupervisedPipeline extends Omit<PipelineStatus, 'state'> {
  readonly state: SupervisedState;
  /** Milliseconds since the epoch when the state began. */
  readonly since: number;
  /** What its topic log waits for, in words; null while it goes on. */
  readonly waitsFor: string | null;
  /** How often the supervisor started it again. */
  readonly restarts: number;
  /** The name of its worker. */
  readonly worker: string;
  readonly totals: Totals;
  readonly sources: readonly SourceStatus[];
  readonly sinks: readonly SinkStatus[];
}

export interface WorkerStatus {
  readonly name: string;
  readonly pipelines: readonly string[];
  /** Heap and external memory, at the last beat. */
  readonly memoryBytes: number;
  readonly restarts: number;
}

/** Plain data: what `/status` answers and the display shows. */
export interface HubStatus {
  readonly hubId: string;
  /** Milliseconds since the epoch when the hub was started. */
  readonly since: number;
  readonly isDraining: boolean;
  readonly pipelines: readonly SupervisedPipeline[];
  readonly workers: readonly WorkerStatus[];
}

/** How a pipeline of the hub ended. */
export interface PipelineResult extends Totals {
  readonly name: string;
  /** `lost`: forced, or not drained in time; what was in flight is repeated at the next start. */
  readonly outcome: 'drained' | 'paused' | 'failed' | 'stopped' | 'lost';
  readonly reason: string | null;
  /** Records that sinks had read and not finished. */
  readonly inFlight: number;
}

export interface HubEnd {
  readonly pipelines: readonly PipelineResult[];
  /** From the call of `stop`; 0 when everything ended by itself. */
  readonly elapsedMs: number;
}
