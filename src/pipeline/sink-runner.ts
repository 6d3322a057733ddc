import { describeError } from '../api/index.ts';
import type { SinkPlan } from '../config/index.ts';
import { isSluiceError } from './as-sluice-error.ts';
import { findConnector } from './create-connector.ts';
import { DeadLetterRate } from './dead-letter-rate.ts';
import { BLOCK_MS, type Trouble } from './delivery.ts';
import { JobRun } from './jobs/job-run.ts';
import type { LegDependencies } from './leg.ts';
import { LegStateHolder, type LegStanding } from './leg-state.ts';
import { isLogLost } from './log-lost.ts';
import { COUNTED } from './metric-names.ts';
import { Notice } from './notice.ts';
import { retryDelay } from './retry.ts';
import type { SinkLife, SinkLifeOptions } from './sink-life.ts';
import { SinkRun } from './sink-run.ts';
import { SinkTotals } from './sink-totals.ts';
import type { LegState, SinkStatus } from './status.ts';

const ONCE_ATTEMPTS = 3;

type Life = Omit<SinkLife<never>, 'run'>;

/** Keeps one sink running, from its saved offsets on, and again with back-off after a failure that one life of it cannot survive. */
export class SinkRunner {
  readonly #plan: SinkPlan;
  readonly #dependencies: LegDependencies;
  readonly #state: LegStateHolder;
  readonly #rate: DeadLetterRate;
  readonly #totals = new SinkTotals();
  readonly #stopping = new AbortController();
  /** Ends the wait before the next life. */
  #hasten = new AbortController();
  readonly #notice = new Notice();
  #run: Life | null = null;
  #isUp = false;
  #failures = 0;
  #lastLag = 0;
  #main: Promise<void> = Promise.resolve();

  constructor(plan: SinkPlan, dependencies: LegDependencies) {
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

  status(): SinkStatus {
    const { name, connector } = this.#plan;
    if (this.#isUp) this.#lastLag = this.#run?.lag ?? this.#lastLag;
    const oldest = this.#run?.oldestTimestamp ?? null;
    const behindMs = oldest === null ? 0 : Math.max(0, this.#dependencies.clock.now() - oldest);
    return { name, connector, ...this.#state.standing, ...this.#totals.get(), lag: this.#lastLag, behindMs };
  }

  start(): void {
    this.#main = this.#keepRunning();
  }

  resume(): void {
    this.#rate.reset();
    this.#hasten.abort();
    this.#run?.resume();
  }

  /** Finishes what was read; resolves when the sink is closed. */
  stop(): Promise<void> {
    this.#stopping.abort();
    this.#run?.drain();
    return this.#main;
  }

  kill(reason: unknown): void {
    this.#stopping.abort();
    this.#run?.kill(reason);
  }

  /** Takes the ends of the topic and resolves when the offsets up to them are saved; rejects when the sink is stopped first. */
  async reachEnd(): Promise<void> {
    const { signal } = this.#stopping;
    let ends: readonly number[] | null = null;
    for (;;) {
      await this.#notice.until(() => this.#isUp, signal);
      const run = this.#run!;
      try {
        ends ??= await run.ends();
        await run.reach(ends);
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        // This life ended first: the next one is asked.
        await this.#notice.until(() => this.#run !== run, signal);
      }
    }
  }

  async #keepRunning(): Promise<void> {
    while (!this.#isStopping()) {
      try {
        await this.#runOnce();
      } catch (error) {
        this.#down();
        if (!this.#isStopping() && !(await this.#recover(error))) return;
        if (this.#isStopping()) this.#dependencies.log.warn({ cause: describeError(error) }, 'sink stopped early');
      }
    }
    this.#state.set('stopped');
  }

  async #runOnce(): Promise<void> {
    const { definition, options } = await findConnector(this.#dependencies, 'sink', this.#plan);
    const life: SinkLifeOptions = {
      plan: this.#plan,
      dependencies: this.#dependencies,
      totals: this.#totals,
      rate: this.#rate,
      onStarted: () => {
        this.#isUp = true;
        this.#state.set('running');
        this.#notice.notify();
      },
      onTrouble: (trouble) => {
        this.#show(trouble);
      },
      onProgress: () => {
        this.#failures = 0;
      },
      report: (status) => {
        this.#state.report(status);
      },
    };
    this.#stopping.signal.throwIfAborted();
    if (definition.takes === 'ranges') await (this.#run = new JobRun(life)).run(definition, options);
    else await (this.#run = new SinkRun(life)).run(definition, options);
    this.#down();
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #down(): void {
    this.#isUp = false;
    this.#run = null;
    this.#notice.notify();
  }

  #show(trouble: Trouble | null): void {
    if (!this.#isUp) return;
    if (trouble === null) this.#state.set('running');
    else this.#state.set(trouble.state, trouble.reason);
  }

  /** Waits as the failure asks for. False when the sink is given up. */
  async #recover(error: unknown): Promise<boolean> {
    const { clock, log, metrics, once, random, onLogLost } = this.#dependencies;
    const reason = describeError(error);
    if (isLogLost(error)) onLogLost(error);
    this.#failures++;
    metrics.count(COUNTED.restarts, 1);
    if (once && this.#failures >= ONCE_ATTEMPTS) {
      log.error({ cause: reason }, 'sink given up');
      this.#state.set('failed', reason);
      return false;
    }
    const needsOperator = isSluiceError(error) && !error.retryable;
    const delayMs = needsOperator ? BLOCK_MS : retryDelay(this.#failures, { ...this.#plan.retry, random });
    this.#state.set(needsOperator ? 'paused' : 'degraded', reason);
    log.warn(
      { attempt: this.#failures, delayMs, cause: reason },
      'sink failed, starting it again from its saved offsets',
    );
    this.#hasten = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, this.#hasten.signal]);
    await clock.sleep(delayMs, signal).catch(() => undefined);
    return true;
  }
}
