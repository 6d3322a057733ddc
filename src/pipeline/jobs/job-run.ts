import {
  describeError,
  type JobPolicy,
  type JobRange,
  type JobSink,
  type JobSinkDefinition,
  type SluiceError,
} from '../../api/index.ts';
import type { Assignment } from '../../log/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import { Alarm } from '../alarm.ts';
import { isSluiceError } from '../as-sluice-error.ts';
import { largeBatchBytesIn } from '../buffer-share.ts';
import type { Trouble } from '../delivery.ts';
import { connectorContext } from '../leg.ts';
import { COUNTED } from '../metric-names.ts';
import type { SinkLife, SinkLifeOptions } from '../sink-life.ts';
import { BatchRun } from './batch-run.ts';
import { ByteMeter } from './byte-meter.ts';
import { RangeCloser } from './close-range.ts';
import { batchOf, batchPrefix, IntentStore, newIntent, offsetsIn, type BatchOwner, type Intent } from './intent.ts';
import { keepGivenUp } from './job-dead-letters.ts';
import { JobTopic } from './job-topic.ts';
import { Landing } from './landing.ts';
import { PatientCalls } from './patient-calls.ts';
import { standOf } from './stand-of.ts';

/** A consumer group takes a moment to give out its partitions. */
const ASSIGN_MS = 10_000;
const NOT_WHOLE =
  'waiting for all partitions of the topic: a job takes them together, and another hub of the group has some';

/** What this life of the sink works with. */
interface Setting {
  readonly sink: JobSink;
  readonly policy: JobPolicy;
  readonly topic: JobTopic;
  readonly store: IntentStore;
  readonly closer: RangeCloser;
  readonly meter: ByteMeter | null;
  readonly landing: Landing | null;
}

/** One life of a sink of jobs: closes ranges into batches, one after the other, and has each processed by a job. */
export class JobRun implements SinkLife<JobSinkDefinition> {
  readonly #options: SinkLifeOptions;
  readonly #calls: PatientCalls;
  /** No further batch is begun, and the one at work is left to its job. */
  readonly #stopping = new AbortController();
  /** Of the connector: nothing is waited for any more. */
  readonly #ending = new AbortController();
  #setting: Setting | null = null;
  #lag = 0;
  /** When the batch that is under way was closed; null when none is. */
  #openSince: number | null = null;
  #callTrouble: Trouble | null = null;
  /** What the sink itself says that it waits for. */
  #sinkTrouble: Trouble | null = null;
  #assignmentTrouble: Trouble | null = null;

  constructor(options: SinkLifeOptions) {
    this.#options = options;
    const { plan, dependencies } = options;
    const { clock, random, log } = dependencies;
    this.#calls = new PatientCalls({
      retry: plan.retry,
      clock,
      random,
      log,
      onTrouble: (trouble) => {
        this.#callTrouble = trouble;
        this.#show();
      },
    });
  }

  get lag(): number {
    return this.#lag;
  }

  get oldestTimestamp(): number | null {
    return this.#openSince ?? this.#setting?.closer.waitingSince ?? null;
  }

  async run(definition: JobSinkDefinition, options: Record<string, unknown>): Promise<void> {
    const { plan, dependencies, report } = this.#options;
    const policy = definition.policy(options);
    const context = connectorContext(dependencies, {
      name: plan.name,
      signal: this.#ending.signal,
      waiting: (reason) => {
        this.#sinkTrouble = reason === null ? null : { state: 'degraded', reason };
        this.#show();
      },
    });
    const sink = await definition.create(options, { ...context, report });
    try {
      await this.#subscribed(sink, policy);
    } finally {
      this.#ending.abort();
      await sink.close().catch((error: unknown) => {
        dependencies.log.warn({ cause: describeError(error) }, 'closing the sink did not work');
      });
    }
  }

  drain(): void {
    this.#stopping.abort();
  }

  kill(reason: unknown): void {
    this.#stopping.abort();
    this.#ending.abort(reason);
  }

  resume(): void {
    this.#calls.hasten();
  }

  ends(): Promise<readonly number[]> {
    return this.#setting!.topic.ends();
  }

  async reach(ends: readonly number[]): Promise<void> {
    const { closer, topic } = this.#setting!;
    closer.hurry(ends);
    const hasReached = (): boolean => ends.every((end, partition) => end === 0 || (topic.next(partition) ?? -1) >= end);
    await topic.until(hasReached, this.#stopping.signal);
  }

  async #subscribed(sink: JobSink, policy: JobPolicy): Promise<void> {
    const { plan, dependencies } = this.#options;
    const { pool, topicLog, pipeline, clock } = dependencies;
    const subscription = await topicLog.subscribe({
      sink: plan.name,
      topic: pipeline.topic.name,
      start: plan.start,
      pool,
      fetchBytes: largeBatchBytesIn(pool.budgetBytes),
    });
    const topic = new JobTopic(subscription);
    const { maxBytes, landing } = policy;
    const prefix = batchPrefix({ pipeline: pipeline.name, sink: plan.name });
    this.#setting = {
      sink,
      policy,
      topic,
      store: new IntentStore(topicLog, plan.name),
      closer: new RangeCloser(policy, clock),
      meter: maxBytes === null ? null : new ByteMeter(topic, maxBytes),
      landing: landing === null ? null : new Landing({ ...landing, prefix, topic, hubId: dependencies.hubId }),
    };
    const following = topic.follow(this.#ending.signal);
    try {
      this.#options.onStarted();
      await this.#work(this.#setting);
    } finally {
      this.#ending.abort();
      await following;
      await subscription.close();
    }
  }

  async #work(setting: Setting): Promise<void> {
    const { signal } = this.#stopping;
    while (!this.#isStopping()) {
      let tenure: AbortSignal | null = null;
      try {
        const whole = await this.#whole(setting);
        tenure = whole.tenure;
        await this.#batches(setting, whole.assigned, AbortSignal.any([signal, tenure]));
      } catch (thrown) {
        if (this.#isStopping() && !isSluiceError(thrown)) return;
        const error: unknown = tenure?.aborted === true ? tenure.reason : thrown;
        if (!isSluiceError(error) || error.code !== 'KAFKA_REBALANCED') throw error;
      }
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #whole({ topic }: Setting): ReturnType<JobTopic['whole']> {
    const { clock } = this.#options.dependencies;
    const late = new Alarm(clock, () => {
      this.#assignmentTrouble = { state: 'degraded', reason: NOT_WHOLE };
      this.#show();
    });
    late.set(clock.monotonic() + ASSIGN_MS);
    try {
      return await topic.whole(this.#stopping.signal);
    } finally {
      late.stop();
      this.#assignmentTrouble = null;
      this.#show();
    }
  }

  /** Until a partition is taken away, or the sink stops. */
  async #batches(setting: Setting, assigned: readonly Assignment[], signal: AbortSignal): Promise<void> {
    const { policy, store, closer, landing } = setting;
    const { clock } = this.#options.dependencies;
    let intent = await this.#left(setting, assigned);
    await landing?.clean();
    while (!signal.aborted) {
      const ranges = intent === null ? await this.#close(setting, signal) : null;
      if (ranges !== null) {
        closer.closed();
        const [{ topic, incarnation }] = assigned as readonly [Assignment];
        intent = newIntent(this.#owner(assigned), { topic, incarnation, ranges }, clock.now());
        await store.save(intent);
        crashPoint('job-intent-saved');
      }
      if (intent === null) await clock.sleep(policy.pollMs, signal);
      else await this.#process(setting, intent, signal);
      intent = null;
    }
    signal.throwIfAborted();
  }

  /** The batch that an earlier life was at. */
  async #left({ store, topic, sink, landing }: Setting, assigned: readonly Assignment[]): Promise<Intent | null> {
    const { log } = this.#options.dependencies;
    const intent = await store.load();
    if (intent === null) return null;
    const stand = standOf(intent, assigned);
    if (stand === 'open') return intent;
    if (stand === 'committed') await topic.commit(intent.ranges);
    else {
      log.warn({ batch: intent.id }, 'offsets were moved while a batch was under way, giving it up');
      const { handle } = intent;
      if (handle !== null) await this.#calls.call(() => sink.end(handle, batchOf(intent, null)), this.#stopping.signal);
    }
    await landing?.remove(intent.id);
    await store.clear();
    return null;
  }

  async #close({ topic, closer, meter }: Setting, signal: AbortSignal): Promise<readonly JobRange[] | null> {
    const standing = await topic.standing();
    this.#lag = offsetsIn(standing);
    const { ranges, isFull } = (await meter?.measure(standing, signal)) ?? { ranges: standing, isFull: false };
    const closed = closer.close(ranges, isFull);
    this.#gaugeLag();
    if (closed === null) this.#options.report(this.#lag === 0 ? 'waiting for records' : 'gathering a batch');
    return closed;
  }

  #gaugeLag(): void {
    const { metrics, clock } = this.#options.dependencies;
    metrics.gauge(COUNTED.lag, this.#lag);
    metrics.gauge(COUNTED.behind, this.oldestTimestamp === null ? 0 : (clock.now() - this.oldestTimestamp) / 1000);
  }

  async #process(setting: Setting, begun: Intent, signal: AbortSignal): Promise<void> {
    const { totals, onProgress, dependencies } = this.#options;
    const { topic, store, landing } = setting;
    const offsets = offsetsIn(begun.ranges);
    let outcome: 'records' | 'deadLettered' | 'returned' = 'returned';
    totals.open(offsets);
    this.#openSince = begun.createdAt;
    dependencies.metrics.gauge(COUNTED.jobOpen, offsets);
    try {
      const folder = (await landing?.land(begun, signal)) ?? null;
      const end = await this.#run(setting, begun, { folder, signal });
      crashPoint('job-succeeded');
      // What was killed must not save anything beside its successor.
      this.#ending.signal.throwIfAborted();
      await topic.commit(begun.ranges);
      outcome = end;
      crashPoint('job-committed');
      await landing?.remove(begun.id);
      await store.clear();
      this.#lag = Math.max(0, this.#lag - offsets);
      onProgress();
    } finally {
      if (outcome === 'returned' && this.#isStopping()) this.#leave(begun.id, offsets);
      else totals.settle(offsets, outcome);
      this.#openSince = null;
      dependencies.metrics.gauge(COUNTED.jobOpen, 0);
    }
    this.#count(outcome === 'records' ? 'succeeded' : 'dead_lettered', offsets);
  }

  async #run(
    setting: Setting,
    begun: Intent,
    { folder, signal }: { readonly folder: string | null; readonly signal: AbortSignal },
  ): Promise<'records' | 'deadLettered'> {
    const { plan, dependencies, report } = this.#options;
    const { sink, policy, store, topic } = setting;
    const { clock, log, metrics } = dependencies;
    const save = (intent: Intent): Promise<void> => store.save(intent);
    // The topic grows while a job takes its time.
    const onWork = async (passed: number): Promise<void> => {
      this.#lag = Math.max(0, offsetsIn(await topic.standing()) - passed);
      this.#gaugeLag();
    };
    const options = { sink, policy, calls: this.#calls, clock, log, metrics, signal, save, report, onWork };
    for (let intent = begun; ;) {
      const run = new BatchRun(options, intent, folder);
      const error = await run.run();
      if (error === null) return 'records';
      if (policy.onFailure === 'dead_letter') {
        const kept = await keepGivenUp({ intent: run.intent, error, leg: plan }, dependencies, signal);
        if (kept) {
          this.#givenUp(run.intent, error);
          return 'deadLettered';
        }
      }
      const reason = `batch ${intent.id} failed ${run.intent.failures} times: ${describeError(error)}`;
      log.error({ batch: intent.id, cause: describeError(error) }, 'sink paused');
      await this.#calls.hold(reason, signal);
      intent = { ...run.intent, failures: 0 };
    }
  }

  #leave(batch: string, offsets: number): void {
    this.#options.totals.leave(offsets);
    this.#options.dependencies.log.info({ batch, offsets }, 'batch left under way, the next start goes on with it');
  }

  #givenUp({ id, ranges, failures }: Intent, error: SluiceError): void {
    const { log, pipeline } = this.#options.dependencies;
    const fields = { batch: id, offsets: offsetsIn(ranges), attempts: failures, topic: pipeline.deadLetter.topic };
    log.error(
      { ...fields, code: error.code, cause: describeError(error) },
      'batch given up, its ranges are in the dead-letter topic',
    );
    this.#calls.clear();
  }

  #count(outcome: 'succeeded' | 'dead_lettered', offsets: number): void {
    const { metrics, log } = this.#options.dependencies;
    metrics.count(COUNTED.jobBatches, 1, { outcome });
    metrics.count(outcome === 'succeeded' ? COUNTED.delivered : COUNTED.deadLetters, offsets);
    log.info({ offsets, outcome }, 'batch done');
  }

  #owner(assigned: readonly Assignment[]): BatchOwner {
    const { plan, dependencies } = this.#options;
    const reset = Math.max(...assigned.map((one) => one.reset));
    return { group: dependencies.group, pipeline: dependencies.pipeline.name, sink: plan.name, reset };
  }

  #show(): void {
    this.#options.onTrouble(this.#callTrouble ?? this.#sinkTrouble ?? this.#assignmentTrouble);
  }
}
