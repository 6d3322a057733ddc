import { describeError, type Clock, type Logger, type OutboundRules } from '../api/index.ts';
import type { PipelinePlan, ReferenceRules } from '../config/index.ts';
import type { TopicLog } from '../log/index.ts';
import type { Registry } from '../registry/index.ts';
import type { MetricsRecorder } from '../telemetry/index.ts';
import { createBufferShare } from './buffer-share.ts';
import type { LegDependencies } from './leg.ts';
import { isTakenOver } from './log-lost.ts';
import { Notice } from './notice.ts';
import { deriveState, type DerivedState } from './pipeline-state.ts';
import { Shutdown } from './shutdown.ts';
import { SinkRunner } from './sink-runner.ts';
import { SourceRunner } from './source-runner.ts';
import type {
  DrainReport,
  LegState,
  PipelineEnd,
  PipelineEvent,
  PipelineState,
  PipelineStatus,
  RunningPipeline,
} from './status.ts';

export interface PipelineDependencies {
  readonly plan: PipelinePlan;
  readonly hubId: string;
  /** Part of all identities. */
  readonly group: string;
  readonly registry: Registry;
  readonly references: ReferenceRules;
  readonly outbound: OutboundRules;
  readonly env: NodeJS.ProcessEnv;
  /** Stays the caller's: closed by whoever opened it, after the end. */
  readonly topicLog: TopicLog;
  /** Bytes of record buffers of this pipeline, shared out among its legs. */
  readonly bufferBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRecorder;
  readonly once: boolean;
  readonly onEvent: (event: PipelineEvent) => void;
  /** For jitter; `Math.random` unless a test wants it repeatable. */
  readonly random?: () => number;
}

/** How long `once` waits for the sinks to close after everything is saved. */
const ONCE_DRAIN_MS = 30_000;

/** Starts every leg of the pipeline and returns at once; what goes wrong shows in the status. */
export function startPipeline(dependencies: PipelineDependencies): RunningPipeline {
  const pipeline = new Pipeline(dependencies);
  pipeline.start();
  return pipeline;
}

class Pipeline implements RunningPipeline {
  readonly finished: Promise<PipelineEnd>;
  readonly #dependencies: PipelineDependencies;
  readonly #sources: readonly SourceRunner[];
  readonly #sinks: readonly SinkRunner[];
  readonly #notice = new Notice();
  readonly #shutdown: Shutdown;
  readonly #end = Promise.withResolvers<PipelineEnd>();
  #phase: Extract<PipelineState, 'running' | 'draining' | 'stopped' | 'failed'> = 'running';
  #ending: Pick<PipelineEnd, 'outcome' | 'reason' | 'isFinal'> = { outcome: 'stopped', reason: null };
  #told: DerivedState = { state: 'starting', reason: null, leg: null };

  constructor(dependencies: PipelineDependencies) {
    this.#dependencies = dependencies;
    this.finished = this.#end.promise;
    const { sources, sinks } = dependencies.plan;
    this.#sources = sources.map((plan) => new SourceRunner(plan, this.#legDependencies('source', plan.name)));
    this.#sinks = sinks.map((plan) => new SinkRunner(plan, this.#legDependencies('sink', plan.name)));
    this.#shutdown = new Shutdown({ sources: this.#sources, sinks: this.#sinks, clock: dependencies.clock });
  }

  start(): void {
    for (const leg of [...this.#sinks, ...this.#sources]) leg.start();
    if (this.#dependencies.once) void this.#runOnce();
  }

  status(): PipelineStatus {
    const { plan } = this.#dependencies;
    const sources = this.#sources.map((source) => source.status());
    const sinks = this.#sinks.map((sink) => sink.status());
    const { state, reason } = this.#derive();
    const deadLetters = [...sources, ...sinks].reduce((sum, { deadLettered }) => sum + deadLettered, 0);
    return { name: plan.name, state, reason, topic: plan.topic.name, sources, sinks, deadLetters };
  }

  resume(): void {
    for (const leg of [...this.#sources, ...this.#sinks]) leg.resume();
  }

  stop({ deadlineMs }: { readonly deadlineMs: number }): Promise<DrainReport> {
    if (this.#phase === 'running') {
      this.#phase = 'draining';
      this.#changed();
    }
    const isFirst = !this.#shutdown.hasBegun;
    const report = this.#shutdown.run(deadlineMs);
    if (isFirst)
      void report.then((drained) => {
        this.#ended(drained);
      });
    return report;
  }

  #ended(report: DrainReport): void {
    if (this.#phase !== 'failed') this.#phase = 'stopped';
    this.#changed();
    const { recordsIn, delivered, dropped, deadLettered, inFlight } = report;
    this.#end.resolve({ ...this.#ending, recordsIn, delivered, dropped, deadLettered, inFlight });
  }

  #legDependencies(kind: 'source' | 'sink', name: string): LegDependencies {
    const { plan, bufferBytes, log, metrics, random = Math.random, ...shared } = this.#dependencies;
    const labels = { pipeline: plan.name, [kind]: name };
    return {
      ...shared,
      pipeline: plan,
      pool: createBufferShare(bufferBytes, plan.sources.length + plan.sinks.length),
      log: log.child(labels),
      metrics: metrics.bind(labels),
      random,
      onChange: () => {
        this.#changed();
      },
      onLogLost: (error) => {
        this.#logLost(error);
      },
    };
  }

  /** To the ends of the sources, then to the ends of the topic, then out. */
  async #runOnce(): Promise<void> {
    const never = new AbortController().signal;
    const isAt = (legs: readonly { state: LegState }[], states: readonly LegState[]): boolean =>
      legs.every(({ state }) => states.includes(state));
    await this.#notice.until(() => isAt(this.#sources, ['done', 'paused', 'failed', 'stopped']), never);
    const drained = new Set<SinkRunner>();
    for (const sink of this.#sinks) {
      sink.reachEnd().then(
        () => {
          drained.add(sink);
          this.#notice.notify();
        },
        // Stopped first.
        () => undefined,
      );
    }
    await this.#notice.until(
      () => this.#sinks.every((sink) => drained.has(sink) || isAt([sink], ['paused', 'failed', 'stopped'])),
      never,
    );
    if (this.#phase !== 'running') return;
    const legs = [...this.#sources.map((source) => source.status()), ...this.#sinks.map((sink) => sink.status())];
    const fault = legs.find(({ state }) => state === 'failed') ?? legs.find(({ state }) => state === 'paused');
    if (fault === undefined) this.#ending = { outcome: 'drained', reason: null };
    else {
      const outcome = fault.state === 'failed' ? 'failed' : 'paused';
      this.#ending = { outcome, reason: `${fault.name}: ${fault.reason ?? ''}` };
    }
    await this.stop({ deadlineMs: ONCE_DRAIN_MS });
  }

  #logLost(error: unknown): void {
    if (this.#phase !== 'running') return;
    const reason = describeError(error);
    this.#dependencies.log.error({ pipeline: this.#dependencies.plan.name, cause: reason }, 'topic log is lost');
    this.#phase = 'failed';
    this.#ending = { outcome: 'failed', reason, isFinal: isTakenOver(error) };
    this.#changed();
    // What waits can neither be saved nor be told apart from what was: nothing is worth waiting for.
    void this.stop({ deadlineMs: 0 });
  }

  #derive(): DerivedState {
    const legs = [
      ...this.#sources.map((source) => ({ kind: 'source' as const, ...source.standing })),
      ...this.#sinks.map((sink) => ({ kind: 'sink' as const, ...sink.standing })),
    ];
    return deriveState(this.#phase, this.#ending.reason, legs);
  }

  #changed(): void {
    // Legs report while they are being made.
    if ((this.#sinks as readonly SinkRunner[] | undefined) === undefined) return;
    const derived = this.#derive();
    const { state, reason, leg } = derived;
    if (state !== this.#told.state || reason !== this.#told.reason) {
      this.#told = derived;
      const { plan, onEvent } = this.#dependencies;
      onEvent({ type: 'state', pipeline: plan.name, state, reason, leg });
    }
    this.#notice.notify();
  }
}
