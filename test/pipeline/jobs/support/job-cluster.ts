import {
  SluiceError,
  Type,
  type JobBatch,
  type JobHandle,
  type JobPolicy,
  type JobRange,
  type JobSink,
  type JobSinkDefinition,
  type JobState,
} from '../../../../src/api/index.ts';

export type JobWay = 'succeed' | 'fail' | 'hang' | 'forget' | 'refuse' | 'lose_reply' | 'lose_and_hide' | 'queue';

interface Driver {
  readonly id: string;
  readonly batch: JobBatch;
  readonly way: JobWay;
  looks: number;
  state: 'running' | 'succeeded' | 'failed' | 'ended';
}

/** A batch engine in memory whose jobs keep their contract: output by batch id, never replaced. It survives the hubs that use it. */
export class JobCluster {
  readonly drivers: Driver[] = [];
  /** What jobs have published. */
  readonly outputs = new Map<string, readonly JobRange[]>();
  readonly ended: string[] = [];
  /** Jobs that found their batch done. */
  repeats = 0;
  /** What submissions come to, one after the other; then all succeed. */
  ways: JobWay[] = [];
  /** Looks that a job takes. */
  looksToEnd = 2;
  /** What jobs at work say of their offsets. */
  passed = 0;
  isAway = false;
  onSubmit: (batch: JobBatch) => void = () => undefined;

  sink(): JobSink {
    return {
      find: (batch) => this.#answer(() => this.#visible(batch.id)),
      submit: (batch) => this.#answer(() => this.#submit(batch)),
      look: (handle) => this.#answer(() => this.#look(handle)),
      end: (handle) =>
        this.#answer(() => {
          this.ended.push(handle as string);
          const driver = this.#driver(handle);
          if (driver?.state === 'running') driver.state = 'ended';
        }),
      output: () => Promise.resolve(''),
      close: () => Promise.resolve(),
    };
  }

  definition(policy: Partial<JobPolicy> = {}): JobSinkDefinition {
    return {
      kind: 'sink',
      takes: 'ranges',
      name: 'test',
      summary: 'Jobs of a test.',
      stability: 'experimental',
      options: Type.Object({}, { additionalProperties: false }),
      examples: [],
      promise: 'effectively-once',
      policy: () => ({ ...defaultPolicy, ...policy }),
      create: () => Promise.resolve(this.sink()),
    };
  }

  /** Offsets of a partition in any output, sorted; a repeated one shows twice. */
  offsets(partition: number): number[] {
    const found: number[] = [];
    for (const ranges of this.outputs.values())
      for (const range of ranges)
        if (range.partition === partition)
          for (let offset = range.from; offset < range.to; offset++) found.push(offset);
    return found.sort((one, other) => one - other);
  }

  #submit(batch: JobBatch): JobHandle {
    this.onSubmit(batch);
    const way = this.ways.shift() ?? 'succeed';
    if (way === 'refuse') throw new SluiceError('SINK_UNAVAILABLE', 'submitting: refused', { retryable: true });
    const id = `driver-${this.drivers.length}`;
    this.drivers.push({ id, batch, way, looks: 0, state: 'running' });
    if (way === 'lose_reply' || way === 'lose_and_hide')
      throw new SluiceError('SINK_UNAVAILABLE', 'submitting: no answer', { retryable: true });
    return id;
  }

  #visible(batchId: string): JobHandle | null {
    const driver = this.drivers.findLast(
      ({ batch, state, way }) => batch.id === batchId && state === 'running' && way !== 'lose_and_hide',
    );
    return driver?.id ?? null;
  }

  #look(handle: JobHandle): JobState {
    // Time passes for all of them.
    for (const driver of this.drivers) this.#step(driver);
    const driver = this.#driver(handle);
    if (driver === undefined || (driver.way === 'forget' && driver.looks > 1)) return { state: 'unknown' };
    if (driver.state === 'succeeded') return { state: 'succeeded' };
    if (driver.state === 'running') {
      const { passed } = this;
      return driver.way === 'queue' ? { state: 'queued', reason: 'no worker has room' } : { state: 'running', passed };
    }
    return { state: 'failed', error: new SluiceError('JOB_FAILED', `running ${driver.id}: boom`) };
  }

  #step(driver: Driver): void {
    driver.looks++;
    if (driver.state !== 'running' || driver.way === 'hang' || driver.way === 'queue') return;
    if (driver.looks < this.looksToEnd) return;
    if (driver.way === 'fail') driver.state = 'failed';
    else {
      driver.state = 'succeeded';
      if (this.outputs.has(driver.batch.id)) this.repeats++;
      else this.outputs.set(driver.batch.id, driver.batch.ranges);
    }
  }

  #driver(handle: JobHandle): Driver | undefined {
    return this.drivers.find(({ id }) => id === handle);
  }

  async #answer<R>(make: () => R): Promise<R> {
    await Promise.resolve();
    if (this.isAway) throw new SluiceError('SINK_UNAVAILABLE', 'asking the cluster: away', { retryable: true });
    return make();
  }
}

const defaultPolicy: JobPolicy = {
  maxRecords: 100,
  maxBytes: null,
  maxAgeMs: 50,
  cron: null,
  pollMs: 10,
  deadlineMs: 60_000,
  attempts: 3,
  onFailure: 'dead_letter',
  landing: null,
};
