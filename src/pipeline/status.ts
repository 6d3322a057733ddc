/**
 * Where one source or sink stands. `degraded`: it retries by itself, nothing is lost; `backing_off`: a source waits before it is started again;
 * `paused`: an operator has to look (a refused credential, too many dead letters); `done`: a source whose input ended.
 */
export type LegState = 'starting' | 'running' | 'degraded' | 'backing_off' | 'paused' | 'done' | 'stopped' | 'failed';

/** `starting`: a source is not at work yet. `failed`: the topic log itself is of no use any more; whoever started the pipeline starts it again. */
export type PipelineState = 'starting' | 'running' | 'degraded' | 'paused' | 'draining' | 'stopped' | 'failed';

interface LegStatus {
  readonly name: string;
  readonly connector: string;
  readonly state: LegState;
  /** Why it is degraded, backing off, paused or failed, for people; null otherwise. */
  readonly reason: string | null;
  /** Milliseconds since the epoch when the state began. */
  readonly since: number;
  /** The connector's own line: "listening :8080". */
  readonly status: string;
}

export interface SourceStatus extends LegStatus {
  /** Records that are durable in the topic. */
  readonly records: number;
  readonly bytes: number;
  readonly deadLettered: number;
  /** Repeats that the dedupe window kept out. */
  readonly suppressed: number;
  /** Records in emits that wait for their commit. */
  readonly inFlight: number;
}

export interface SinkStatus extends LegStatus {
  /** Records delivered. Always `read = records + deadLettered + dropped + inFlight + returned`. */
  readonly records: number;
  readonly read: number;
  readonly deadLettered: number;
  /** Left out by `where`. */
  readonly dropped: number;
  readonly inFlight: number;
  /** Handed back unfinished with a partition, to be read again. */
  readonly returned: number;
  /** Offsets between the watermarks and the ends of the topic's partitions. */
  readonly lag: number;
  /** Age of the oldest record that is not finished, milliseconds; 0 without lag. */
  readonly behindMs: number;
}

/** Plain data: crosses to other threads. */
export interface PipelineStatus {
  readonly name: string;
  readonly state: PipelineState;
  readonly reason: string | null;
  readonly topic: string;
  readonly sources: readonly SourceStatus[];
  readonly sinks: readonly SinkStatus[];
  readonly deadLetters: number;
}

/** A change of the pipeline's state or of its reason. `leg` is the one that caused it. */
export interface PipelineEvent {
  readonly type: 'state';
  readonly pipeline: string;
  readonly state: PipelineState;
  readonly reason: string | null;
  readonly leg: { readonly kind: 'source' | 'sink'; readonly name: string } | null;
}

interface PipelineTotals {
  readonly recordsIn: number;
  /** Over all sinks. */
  readonly delivered: number;
  readonly dropped: number;
  readonly deadLettered: number;
  /** Read by sinks and not finished; they are read again at the next start. */
  readonly inFlight: number;
}

/** What `stop` came to. `drained` false: the deadline passed, what was in flight is repeated at the next start. */
export interface DrainReport extends PipelineTotals {
  readonly drained: boolean;
  readonly elapsedMs: number;
}

/**
 * How a pipeline ended. `drained`: with `once`, every record up to the ends taken is finished and saved; `paused`, `failed`: with `once`, a leg
 * could not; `failed` otherwise: the topic log; `stopped`: by `stop`.
 */
export interface PipelineEnd extends PipelineTotals {
  readonly outcome: 'drained' | 'paused' | 'failed' | 'stopped';
  readonly reason: string | null;
  /** Failed, and not to be started again by itself: another hub goes on in this one's place. */
  readonly isFinal?: boolean;
}

export interface RunningPipeline {
  status(): PipelineStatus;
  /** Ends every pause (dead-letter rate, block, dead letters off); the rate counts anew. */
  resume(): void;
  /** Sources first, then what is in flight, flush, offsets. Later calls get the first one's promise; a shorter deadline holds from then on. */
  stop(options: { readonly deadlineMs: number }): Promise<DrainReport>;
  /** Never rejects. */
  readonly finished: Promise<PipelineEnd>;
}
