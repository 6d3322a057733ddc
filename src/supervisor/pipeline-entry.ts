import type { LegPlan, PipelinePlan } from '../config/index.ts';
import type { PipelineStatus, SinkStatus, SourceStatus } from '../pipeline/index.ts';
import type { BackOff } from './back-off.ts';
import type { PipelineStateHolder } from './state.ts';
import type { PipelineResult, SupervisedPipeline, Totals } from './status.ts';

interface Told {
  readonly state: 'running' | 'degraded' | 'paused';
  readonly reason: string | null;
}

/** What the supervisor keeps of one pipeline over all its starts. */
export class PipelineEntry {
  readonly plan: PipelinePlan;
  readonly state: PipelineStateHolder;
  readonly backOff: BackOff;
  restarts = 0;
  /** Monotonic. */
  startedAt = 0;
  /** How it ended for good; null while it runs or is started again. */
  result: PipelineResult | null = null;
  #last: PipelineStatus | null = null;
  /** What the running pipeline says of itself; null before it is open. */
  #told: Told | null = null;
  #waitsFor: string | null = null;
  /** Of the starts before this one. */
  #before: Totals = { recordsIn: 0, delivered: 0, dropped: 0, deadLettered: 0 };
  #isCounted = true;

  constructor(plan: PipelinePlan, state: PipelineStateHolder, backOff: BackOff) {
    this.plan = plan;
    this.state = state;
    this.backOff = backOff;
  }

  get name(): string {
    return this.plan.name;
  }

  /** Ended for good, or not to be started again by itself. */
  get isOver(): boolean {
    return this.result !== null || this.state.state === 'failed' || this.state.state === 'stopped';
  }

  get totals(): Totals {
    return this.#isCounted || this.#last === null ? this.#before : sum(this.#before, totalsOf(this.#last));
  }

  report(status: PipelineStatus): void {
    this.#last = status;
    this.#isCounted = false;
  }

  /** A change that the running pipeline told. */
  tell(told: Told): void {
    this.#told = told;
    this.#show();
  }

  /** What its topic log waits for; null once it goes on. */
  wait(reason: string | null): void {
    this.#waitsFor = reason;
    this.#show();
  }

  /** This start is over: what it counted is kept. `end` knows better than the last report, when there is one. */
  settle(end?: Totals): void {
    if (end !== undefined) this.#before = sum(this.#before, end);
    else this.#before = this.totals;
    this.#isCounted = true;
    this.#told = null;
    this.#waitsFor = null;
  }

  end(outcome: PipelineResult['outcome'], reason: string | null, inFlight = 0): void {
    this.result ??= { name: this.name, outcome, reason, inFlight, ...this.totals };
  }

  status(worker: string): SupervisedPipeline {
    const { plan, state, restarts, totals } = this;
    return {
      name: plan.name,
      state: state.state,
      reason: state.reason,
      since: state.since,
      waitsFor: this.#waitsFor,
      restarts,
      worker,
      topic: plan.topic.name,
      totals,
      sources: this.#last?.sources ?? plan.sources.map((leg) => unstartedSource(leg, state.since)),
      sinks: this.#last?.sinks ?? plan.sinks.map((leg) => unstartedSink(leg, state.since)),
      deadLetters: totals.deadLettered,
    };
  }

  /** A log that waits degrades whatever goes on; what an operator has to look at stays in sight. */
  #show(): void {
    const told = this.#told;
    if (this.#waitsFor !== null && told?.state !== 'paused') this.state.handle('degraded', this.#waitsFor);
    else if (told !== null) this.state.handle(told.state, told.reason);
  }
}

function sum(a: Totals, b: Totals): Totals {
  return {
    recordsIn: a.recordsIn + b.recordsIn,
    delivered: a.delivered + b.delivered,
    dropped: a.dropped + b.dropped,
    deadLettered: a.deadLettered + b.deadLettered,
  };
}

function totalsOf({ sources, sinks, deadLetters }: PipelineStatus): Totals {
  return {
    recordsIn: sources.reduce((total, { records }) => total + records, 0),
    delivered: sinks.reduce((total, { records }) => total + records, 0),
    dropped: sinks.reduce((total, { dropped }) => total + dropped, 0),
    deadLettered: deadLetters,
  };
}

function unstarted({ name, connector }: LegPlan, since: number) {
  return { name, connector, state: 'starting' as const, reason: null, since, status: '', records: 0 };
}

function unstartedSource(leg: LegPlan, since: number): SourceStatus {
  return { ...unstarted(leg, since), bytes: 0, deadLettered: 0, suppressed: 0, inFlight: 0 };
}

function unstartedSink(leg: LegPlan, since: number): SinkStatus {
  const counts = { read: 0, deadLettered: 0, dropped: 0, inFlight: 0, returned: 0, lag: 0, behindMs: 0 };
  return { ...unstarted(leg, since), ...counts };
}
