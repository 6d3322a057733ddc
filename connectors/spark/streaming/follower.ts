import type { Clock, JobBatch, JobHandle, JobSink, JobState } from 'sluice/api';
import { readProgress } from './checkpoint.ts';
import type { StreamingOptions } from './options.ts';

/** A query of Structured Streaming that somebody else runs: a batch is done when its checkpoint has passed it. */
export class CheckpointFollower implements JobSink {
  readonly #options: StreamingOptions;
  readonly #clock: Clock;

  constructor(options: StreamingOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  find(): Promise<JobHandle | null> {
    return Promise.resolve({ checkpoint: this.#options.checkpoint });
  }

  /** Nothing has to be started. */
  submit(): Promise<JobHandle> {
    return Promise.resolve({ checkpoint: this.#options.checkpoint });
  }

  async look(_handle: JobHandle, { topic, ranges, offsets }: JobBatch): Promise<JobState> {
    const { checkpoint, stalled_after: stalledMs } = this.#options;
    const progress = await readProgress(checkpoint, topic);
    if (progress === null)
      return { state: 'queued', reason: `the query has not begun: "${checkpoint}" has no commit`, passed: 0 };
    const { next, batch, committedAt } = progress;
    const passed = ranges.reduce((sum, { partition, from, to }) => {
      return sum + Math.max(0, Math.min(next.get(partition) ?? from, to) - from);
    }, 0);
    if (passed === offsets) return { state: 'succeeded' };
    const quietMs = this.#clock.now() - committedAt;
    if (quietMs < stalledMs) return { state: 'running', passed };
    const reason = `the query has committed nothing for ${Math.round(quietMs / 1000)} s: its last micro-batch is ${batch}`;
    return { state: 'queued', reason, passed };
  }

  /** Whoever runs it ends it. */
  end(): Promise<void> {
    return Promise.resolve();
  }

  output(): Promise<string> {
    return Promise.resolve('');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
