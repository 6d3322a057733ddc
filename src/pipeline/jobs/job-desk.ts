import { join } from 'node:path';
import {
  describeError,
  type Clock,
  type JobBatch,
  type JobHandle,
  type JobPolicy,
  type JobRange,
  type JobSink,
  type JobState,
  type Logger,
} from '../../api/index.ts';
import type { HubPlan, PipelinePlan, SinkPlan } from '../../config/index.ts';
import type { SavedView } from '../../log/index.ts';
import type { Registry } from '../../registry/index.ts';
import { findConnector } from '../create-connector.ts';
import { batchOf, savedIntent, type Intent } from './intent.ts';

export interface JobSinkPlace {
  readonly pipeline: PipelinePlan;
  readonly sink: SinkPlan;
}

interface Surroundings {
  readonly plan: HubPlan;
  readonly view: SavedView;
  readonly registry: Registry;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends calls that are not answered. */
  readonly signal: AbortSignal;
}

/** What a sink of jobs is at. Times are milliseconds since the epoch. */
export interface JobReport {
  readonly pipeline: string;
  readonly sink: string;
  /**
   * `idle`: no batch is under way; `not_submitted`: nobody was asked for its job, or the answer is not known; `unreachable`: nobody says; otherwise as the sink has it,
   * `unknown` for a job that nobody knows any more.
   */
  readonly state: 'idle' | 'not_submitted' | 'unreachable' | JobState['state'];
  /** Why it is so, or why the attempt before failed. */
  readonly reason: string | null;
  readonly batch: {
    readonly id: string;
    readonly topic: string;
    readonly ranges: readonly JobRange[];
    readonly offsets: number;
    readonly attempt: number;
    readonly attempts: number;
    readonly created_at: number;
    readonly submitted_at: number | null;
    readonly job: JobHandle | null;
  } | null;
}

/** Looks at the job of a sink, and ends it, from outside of the hub that runs it. */
export class JobDesk {
  readonly #place: JobSinkPlace;
  readonly #intent: Intent | null;
  readonly #sink: JobSink;
  readonly #policy: JobPolicy;

  private constructor(
    place: JobSinkPlace,
    intent: Intent | null,
    { sink, policy }: { sink: JobSink; policy: JobPolicy },
  ) {
    this.#place = place;
    this.#intent = intent;
    this.#sink = sink;
    this.#policy = policy;
  }

  /** Null when the connector of the sink takes records, not ranges. */
  static async open(
    place: JobSinkPlace,
    { plan, view, registry, env, clock, log, signal }: Surroundings,
  ): Promise<JobDesk | null> {
    const { pipeline, sink: leg } = place;
    const { references, group, host, outbound } = plan;
    const { definition, options } = await findConnector({ registry, references, env, pipeline }, 'sink', leg);
    if (definition.takes !== 'ranges') return null;
    const ignore = (): void => undefined;
    const sink = await definition.create(options, {
      pipeline: pipeline.name,
      name: leg.name,
      hubId: host ?? '',
      group,
      log,
      metrics: { count: ignore, gauge: ignore },
      clock,
      outbound,
      signal,
      waiting: ignore,
      report: ignore,
    });
    const intent = savedIntent(view, { pipeline: pipeline.name, sink: leg.name });
    return new JobDesk(place, intent, { sink, policy: definition.policy(options) });
  }

  async report(): Promise<JobReport> {
    const { pipeline, sink } = this.#place;
    const names = { pipeline: pipeline.name, sink: sink.name };
    const intent = this.#intent;
    if (intent === null) return { ...names, state: 'idle', reason: null, batch: null };
    const { id, topic, ranges, offsets, attempt } = this.#batchOf(intent);
    const { createdAt: created_at, submittedAt: submitted_at, handle: job } = intent;
    const { attempts } = this.#policy;
    const batch = { id, topic, ranges, offsets, attempt, attempts, created_at, submitted_at, job };
    return { ...names, ...(await this.#standing(intent)), batch };
  }

  /** The last lines that the job wrote; '' when it wrote none, or there is none. */
  async output(): Promise<string> {
    const job = this.#job;
    return job === null ? '' : this.#sink.output(job.handle, job.batch);
  }

  /** False when there is no job to end. The hub that watches it counts that as a failure, and tries its batch again. */
  async end(): Promise<boolean> {
    const job = this.#job;
    if (job === null) return false;
    await this.#sink.end(job.handle, job.batch);
    return true;
  }

  /** Leaves the job alone. */
  close(): Promise<void> {
    return this.#sink.close();
  }

  get #job(): { readonly handle: JobHandle; readonly batch: JobBatch } | null {
    const intent = this.#intent;
    const handle = intent?.handle ?? null;
    return intent === null || handle === null ? null : { handle, batch: this.#batchOf(intent) };
  }

  async #standing(intent: Intent): Promise<Pick<JobReport, 'state' | 'reason'>> {
    const { handle, reason } = intent;
    if (handle === null) return { state: 'not_submitted', reason };
    try {
      const state = await this.#sink.look(handle, this.#batchOf(intent));
      if (state.state === 'failed') return { state: 'failed', reason: state.error.message };
      return { state: state.state, reason: (state.state === 'queued' ? state.reason : null) ?? reason };
    } catch (error) {
      return { state: 'unreachable', reason: describeError(error) };
    }
  }

  #batchOf(intent: Intent): JobBatch {
    const { landing } = this.#policy;
    return batchOf(intent, landing === null ? null : join(landing.folder, intent.id));
  }
}
