import { describeError, SluiceError, type SourceDefinition } from '../api/index.ts';
import type { SourcePlan } from '../config/index.ts';
import type { CommitRequest } from '../log/index.ts';
import { isSluiceError } from './as-sluice-error.ts';
import { findConnector } from './create-connector.ts';
import { DeadLetterRate } from './dead-letter-rate.ts';
import { DedupeWindow } from './dedupe-window.ts';
import { EmitQueue, type CommittedFlight } from './emit-queue.ts';
import { Gate } from './gate.ts';
import { connectorContext, maxRecordBytesOf, type LegDependencies } from './leg.ts';
import { LegStateHolder, type LegStanding } from './leg-state.ts';
import { isLogLost } from './log-lost.ts';
import { COUNTED } from './metric-names.ts';
import { retryDelay } from './retry.ts';
import { SourceRun } from './source-run.ts';
import { sourceTarget } from './source-target.ts';
import type { LegState, SourceStatus } from './status.ts';

const RESTART = { minMs: 500, maxMs: 60_000 };
/** With `once` somebody waits for the end: so many restarts without a committed record are enough. */
const ONCE_ATTEMPTS = 3;

/** Keeps one source running: starts it from its checkpoints, and again with back-off after a failure or a rejected emit. */
export class SourceRunner {
  readonly #plan: SourcePlan;
  readonly #dependencies: LegDependencies;
  readonly #state: LegStateHolder;
  readonly #rate: DeadLetterRate;
  readonly #gate = new Gate();
  readonly #stopping = new AbortController();
  #queue: EmitQueue | null = null;
  #main: Promise<void> = Promise.resolve();
  #hasProgressed = false;
  readonly #counts = { records: 0, bytes: 0, deadLettered: 0, suppressed: 0 };

  constructor(plan: SourcePlan, dependencies: LegDependencies) {
    this.#plan = plan;
    this.#dependencies = dependencies;
    this.#state = new LegStateHolder(dependencies.clock, dependencies.onChange);
    this.#rate = new DeadLetterRate(dependencies.clock, dependencies.pipeline.deadLetter.maxRate);
  }

  get state(): LegState {
    return this.#state.state;
  }

  get standing(): { readonly name: string } & LegStanding {
    return { name: this.#plan.name, ...this.#state.standing };
  }

  status(): SourceStatus {
    const { name, connector } = this.#plan;
    return { name, connector, ...this.#state.standing, ...this.#counts, inFlight: this.#queue?.inFlight ?? 0 };
  }

  start(): void {
    this.#main = this.#keepRunning();
  }

  resume(): void {
    if (this.#state.state !== 'paused') return;
    this.#rate.reset();
    this.#state.set('running');
    this.#gate.open();
  }

  /** Asks the source to end; resolves when it has, and when what it emitted is settled. */
  stop(): Promise<void> {
    this.#stopping.abort();
    return this.#main;
  }

  /** Rejects what waits, whatever the source does. */
  kill(error: unknown): void {
    this.#stopping.abort();
    this.#queue?.close(error);
    this.#state.set('stopped');
  }

  async #keepRunning(): Promise<void> {
    for (let failures = 1; !this.#isStopping(); failures++) {
      this.#hasProgressed = false;
      try {
        await this.#run();
        if (!this.#isStopping()) {
          this.#state.set('done');
          return;
        }
      } catch (error) {
        if (this.#progressed()) failures = 1;
        if (!this.#isStopping() && !(await this.#recover(error, failures))) return;
      }
    }
    this.#state.set('stopped');
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #progressed(): boolean {
    return this.#hasProgressed;
  }

  /** One run, from the checkpoints on. Returns when the input ended or the source was asked to stop. */
  async #run(): Promise<void> {
    const { definition, options } = await findConnector(this.#dependencies, 'source', this.#plan);
    if (this.#dependencies.once && !definition.ends) {
      this.#state.report('not started by --once');
      return;
    }
    const failed = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, failed.signal]);
    const window = await this.#loadWindow(definition);
    const queue = this.#createQueue(definition, window, (error) => {
      failed.abort(error);
    });
    const run = this.#createRun(queue, window, signal);
    try {
      const source = await definition.create(options);
      if (this.#plan.placement !== 'every') this.#state.set('running');
      await source.run(run.context);
    } catch (error) {
      if (!failed.signal.aborted) throw error;
    } finally {
      // What it emitted before it ended may still become durable; the next run must not read the checkpoints before that is known.
      await queue.settled();
      run.end();
      queue.close(new SluiceError('SOURCE_FAILED', 'emitting: the run is over'));
    }
    if (failed.signal.aborted) throw failed.signal.reason;
  }

  async #loadWindow({ dedupe }: SourceDefinition): Promise<DedupeWindow | null> {
    if (dedupe === undefined) return null;
    return new DedupeWindow(dedupe, await this.#dependencies.topicLog.dedupeIds(this.#plan.name));
  }

  #createQueue(definition: SourceDefinition, window: DedupeWindow | null, abort: (error: unknown) => void): EmitQueue {
    const { delivery, placement } = this.#plan;
    const { partitionsFailApart } = this.#dependencies.topicLog;
    const queue = new EmitQueue({
      target: sourceTarget(this.#plan, this.#dependencies),
      commit: (request) => this.#commit(request),
      partitionsFailApart,
      // Partitions of a consumer group come and go one by one, and so may their transactions.
      commitsLinesApart: partitionsFailApart && delivery === 'exactly_once' && placement === 'group',
      rewinds: definition.rewinds,
      onCommitted: (flight) => {
        const now = this.#dependencies.clock.now();
        for (const id of flight.dedupeIds) window?.add(id, now);
        this.#committed(flight);
      },
      onRejected: (error) => {
        if (definition.rewinds) abort(error);
        else this.#state.set('degraded', describeError(error));
      },
    });
    this.#queue = queue;
    return queue;
  }

  #createRun(queue: EmitQueue, window: DedupeWindow | null, signal: AbortSignal): SourceRun {
    const { once, pool, topicLog, clock, metrics } = this.#dependencies;
    return new SourceRun({
      connector: connectorContext(this.#dependencies, {
        name: this.#plan.name,
        signal,
        waiting: (reason) => {
          this.#waits(reason, signal);
        },
      }),
      once,
      maxRecordBytes: maxRecordBytesOf(this.#dependencies),
      pool,
      gate: this.#gate,
      topicLog,
      queue,
      passesSealed: this.#plan.key === null,
      seen: (id) => {
        if (window?.has(id, clock.now()) !== true) return false;
        this.#counts.suppressed++;
        metrics.count(COUNTED.suppressed, 1);
        return true;
      },
      report: (status) => {
        this.#state.report(status);
        // Nobody can reach a listener before it says where it listens.
        if (['starting', 'backing_off'].includes(this.#state.state)) this.#state.set('running');
      },
    });
  }

  /** The source itself waits for the outside. */
  #waits(reason: string | null, { aborted }: AbortSignal): void {
    const { state } = this.#state;
    if (aborted || !['running', 'degraded'].includes(state)) return;
    if (reason === null) this.#state.set('running');
    else this.#state.set('degraded', reason);
  }

  async #commit(request: CommitRequest): Promise<void> {
    try {
      await this.#dependencies.topicLog.commit(request);
    } catch (error) {
      if (isLogLost(error)) this.#dependencies.onLogLost(error);
      throw error;
    }
  }

  #committed({ records, bytes, deadLetters }: CommittedFlight): void {
    this.#hasProgressed = true;
    this.#counts.records += records;
    this.#counts.bytes += bytes;
    this.#counts.deadLettered += deadLetters;
    const { metrics, log, pipeline } = this.#dependencies;
    metrics.count(COUNTED.recordsIn, records);
    metrics.count(COUNTED.bytesIn, bytes);
    this.#rate.count(records + deadLetters, deadLetters);
    if (this.#state.state === 'degraded') this.#state.set('running');
    if (deadLetters === 0) return;
    metrics.count(COUNTED.deadLetters, deadLetters);
    log.error({ records: deadLetters, topic: pipeline.deadLetter.topic }, 'records moved to the dead-letter topic');
    const tooMany = this.#rate.exceeded();
    if (tooMany !== null) this.#pause(tooMany);
  }

  #pause(reason: string): void {
    this.#gate.close();
    this.#state.set('paused', reason);
    this.#dependencies.log.error({ reason }, 'source paused');
  }

  /** Waits as the failure asks for. False when the source is given up. */
  async #recover(error: unknown, failures: number): Promise<boolean> {
    const { clock, log, once, random, metrics } = this.#dependencies;
    const reason = describeError(error);
    metrics.count(COUNTED.restarts, 1);
    try {
      if (isSluiceError(error) && error.code === 'DEAD_LETTER_OFF') {
        this.#pause(reason);
        await this.#gate.passed(this.#stopping.signal);
        return true;
      }
      if (once && failures >= ONCE_ATTEMPTS) {
        log.error({ error: reason }, 'source given up');
        this.#state.set('failed', reason);
        return false;
      }
      const delayMs = retryDelay(failures, { ...RESTART, random });
      this.#state.set('backing_off', reason);
      log.warn({ attempt: failures, delayMs, cause: reason }, 'source failed, starting it again from its checkpoints');
      await clock.sleep(delayMs, this.#stopping.signal);
    } catch {
      // Stopped meanwhile.
    }
    return true;
  }
}
