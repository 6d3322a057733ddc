import {
  SluiceError,
  type Clock,
  type JobBatch,
  type JobHandle,
  type JobPolicy,
  type JobSink,
  type JobState,
  type Logger,
  type Metrics,
} from '../../api/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import { COUNTED } from '../metric-names.ts';
import { batchOf, type Intent } from './intent.ts';
import type { PatientCalls } from './patient-calls.ts';

/** A job that takes long is looked at less often: looks are most of what a batch costs the hub. */
const LOOK_SHARE = 1 / 5;
const LONGEST_LOOK_MS = 10_000;
/** How long a job that was told to end is waited for, before another is started. */
const END_MS = 30_000;

export interface BatchRunOptions {
  readonly sink: JobSink;
  readonly policy: Pick<JobPolicy, 'pollMs' | 'deadlineMs' | 'attempts'>;
  readonly calls: PatientCalls;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  /** Durable when it resolves. */
  readonly save: (intent: Intent) => Promise<void>;
  readonly report: (status: string) => void;
  /** The job is at work, and says that so many offsets of the batch are done. */
  readonly onWork: (passed: number) => Promise<void>;
}

type JobEnd =
  | { readonly outcome: 'succeeded' | 'unknown' }
  | { readonly outcome: 'failed' | 'deadline'; readonly error: SluiceError };

/** One batch, from an intent to the success of a job, by whatever number of jobs that takes. */
export class BatchRun {
  readonly #options: BatchRunOptions;
  readonly #folder: string | null;
  #intent: Intent;

  constructor(options: BatchRunOptions, intent: Intent, folder: string | null) {
    this.#options = options;
    this.#intent = intent;
    this.#folder = folder;
  }

  get intent(): Intent {
    return this.#intent;
  }

  /** Resolves with null when a job succeeded, with the last one's error when as many failed as may. Rejects when the signal aborts or an intent cannot be saved. */
  async run(): Promise<SluiceError | null> {
    const { policy, calls, log, metrics, signal } = this.#options;
    for (let unknown = 0; ;) {
      const end = await this.#job();
      metrics.count(COUNTED.jobAttempts, 1, { outcome: end.outcome });
      if (end.outcome === 'succeeded') {
        calls.clear();
        return null;
      }
      const { id, failures } = this.#intent;
      if (!('error' in end)) {
        log.warn({ batch: id }, 'nobody knows what became of a job, its batch is submitted again');
        await this.#change({ handle: null });
        const reason = `batch ${id}: nobody knows what became of its job; it is submitted again`;
        await calls.wait(calls.delay(++unknown), { state: 'degraded', reason }, signal);
        continue;
      }
      const reason = end.error.message;
      log.warn({ batch: id, attempt: failures + 1, of: policy.attempts, cause: reason }, 'job failed');
      await this.#change({ failures: failures + 1, handle: null, submittedAt: null, reason });
      if (this.#intent.failures >= policy.attempts) return end.error;
      const trouble = `batch ${id}: attempt ${failures + 1} of ${policy.attempts} failed: ${reason}`;
      await calls.wait(calls.delay(failures + 1), { state: 'degraded', reason: trouble }, signal);
    }
  }

  get #batch(): JobBatch {
    return batchOf(this.#intent, this.#folder);
  }

  async #job(): Promise<JobEnd> {
    const { clock, metrics } = this.#options;
    const handle = this.#intent.handle ?? (await this.#start());
    const end = await this.#watch(handle);
    metrics.count(COUNTED.jobSeconds, Math.max(0, clock.now() - this.#intent.submittedAt!) / 1000);
    return end;
  }

  /** An answer that got lost may have left a job behind: it is looked for before each submission. */
  async #start(): Promise<JobHandle> {
    const { sink, calls, clock, signal, log } = this.#options;
    const find = (): Promise<JobHandle | null> => sink.find(this.#batch);
    const found = this.#intent.submittedAt === null ? null : await calls.call(find, signal);
    if (found !== null) log.info({ batch: this.#intent.id }, 'found a job of the batch at work');
    const submittedAt = (found === null ? null : this.#intent.submittedAt) ?? clock.now();
    await this.#change({ submittedAt });
    const submit = (): Promise<JobHandle> => {
      const submitted = sink.submit(this.#batch);
      crashPoint('job-create-sent');
      return submitted;
    };
    const handle = found ?? (await calls.call(submit, signal, find));
    crashPoint('job-created');
    await this.#change({ handle });
    return handle;
  }

  async #watch(handle: JobHandle): Promise<JobEnd> {
    const { policy, clock, calls, signal, onWork } = this.#options;
    crashPoint('job-running');
    for (;;) {
      const state = await calls.call(() => this.#look(handle), signal);
      const end = endOf(state);
      if (end !== null) return end;
      await onWork(state.state === 'running' || state.state === 'queued' ? (state.passed ?? 0) : 0);
      const age = clock.now() - this.#intent.submittedAt!;
      const left = policy.deadlineMs - age;
      if (left <= 0) return this.#expire(handle);
      const pause = Math.max(policy.pollMs, Math.min(age * LOOK_SHARE, LONGEST_LOOK_MS));
      await clock.sleep(Math.min(pause, left), signal);
    }
  }

  async #look(handle: JobHandle): Promise<JobState> {
    const { sink, calls, report } = this.#options;
    const state = await sink.look(handle, this.#batch);
    if (state.state === 'queued' && state.reason !== null) {
      const { id } = this.#intent;
      calls.show({ state: 'degraded', reason: `batch ${id}: ${state.reason}` });
    } else if (state.state === 'running') calls.clear();
    report(`batch ${this.#intent.id} ${state.state}`);
    return state;
  }

  async #expire(handle: JobHandle): Promise<JobEnd> {
    const { sink, policy, calls, clock, signal, log } = this.#options;
    log.warn({ batch: this.#intent.id, deadlineMs: policy.deadlineMs }, 'job took too long, ending it');
    await calls.call(() => sink.end(handle, this.#batch), signal);
    // Two at a time would be harmless, and would take the room of one.
    for (const until = clock.monotonic() + END_MS; clock.monotonic() < until;) {
      const state = await calls.call(() => this.#look(handle), signal);
      if (state.state === 'succeeded') return { outcome: 'succeeded' };
      if (state.state === 'failed' || state.state === 'unknown') break;
      await clock.sleep(policy.pollMs, signal);
    }
    const error = new SluiceError('JOB_FAILED', `running the job: it did not end within ${policy.deadlineMs / 1000} s`);
    return { outcome: 'deadline', error };
  }

  async #change(change: Partial<Intent>): Promise<void> {
    this.#intent = { ...this.#intent, ...change };
    await this.#options.save(this.#intent);
  }
}

function endOf(state: JobState): JobEnd | null {
  if (state.state === 'succeeded' || state.state === 'unknown') return { outcome: state.state };
  return state.state === 'failed' ? { outcome: 'failed', error: state.error } : null;
}
