import { describeError, SluiceError, type Clock, type Logger } from '../api/index.ts';
import type { HubPlan } from '../config/index.ts';
import type { DataFolder } from '../log/index.ts';
import type { PipelineEnd } from '../pipeline/index.ts';
import { logEntry, METRIC, type LogLevel, type MetricsRegistry } from '../telemetry/index.ts';
import { BackOff } from './back-off.ts';
import { beatIntervalMs } from './beat.ts';
import { logPlan } from './log-plan.ts';
import { PipelineEntry } from './pipeline-entry.ts';
import { placePipelines } from './placement.ts';
import type { FromWorker, WorkerLog, WorkerSetup } from './protocol.ts';
import { PipelineStateHolder, type SupervisedState } from './state.ts';
import type { HubEnd, HubStatus, PipelineResult } from './status.ts';
import { watchWorkers } from './watchdog.ts';
import { WorkerThread, type Loss, type Print } from './worker-thread.ts';

export interface SupervisorOptions {
  readonly plan: HubPlan;
  readonly dataFolder: Pick<DataFolder, 'hubId' | 'prepare' | 'recover'>;
  /** A module that calls `hostPipelines`. */
  readonly workerUrl: URL;
  readonly clock: Clock;
  readonly log: Logger;
  readonly logLevel: LogLevel;
  readonly metrics: MetricsRegistry;
  /** Everything there is, then the end, instead of for ever. */
  readonly once: boolean;
  readonly print: Print;
  /** For jitter; `Math.random` unless a test wants it repeatable. */
  readonly random?: () => number;
}

export interface Supervisor {
  /** Recovers the log and starts all workers. Rejects when the data folder cannot be used at all. */
  start(): Promise<void>;
  status(): HubStatus;
  /** Ends every pause of the pipeline, or starts a failed one again. False when there is no such pipeline. */
  resume(pipeline: string): boolean;
  /** Sources first, then what is in flight. Later calls get the first one's promise. */
  stop(options: { readonly drainMs: number }): Promise<HubEnd>;
  /** Ends all workers where they are; what was in flight is repeated at the next start. `finished` then resolves. */
  force(): void;
  /** Resolves when everything ended: by `stop`, by `force`, or with `once` by itself. */
  readonly finished: Promise<HubEnd>;
}

/** What a worker may take beyond the drain's deadline to close its logs and go. */
const LEAVE_MS = 1500;

interface Slot {
  readonly name: string;
  readonly entries: readonly PipelineEntry[];
  readonly backOff: BackOff;
  thread: WorkerThread;
  startedAt: number;
  restarts: number;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new HubSupervisor(options);
}

class HubSupervisor implements Supervisor {
  readonly finished: Promise<HubEnd>;
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[] = [];
  readonly #entries = new Map<string, PipelineEntry>();
  readonly #end = Promise.withResolvers<HubEnd>();
  /** Ends the waits before restarts. */
  readonly #stopping = new AbortController();
  /** Ends what watches over workers. */
  readonly #over = new AbortController();
  readonly #since: number;
  #setup: WorkerSetup | null = null;
  #stopAt: number | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#since = options.clock.now();
    this.finished = this.#end.promise;
    for (const plan of options.plan.pipelines) this.#entries.set(plan.name, this.#createEntry(plan));
  }

  async start(): Promise<void> {
    const { plan, dataFolder, clock, once } = this.#options;
    // Threads load their modules while the embedded log is recovered.
    for (const [index, plans] of placePipelines(plan.pipelines, plan.workers).entries()) {
      const name = `worker-${index + 1}`;
      const entries = plans.map((pipeline) => this.#entries.get(pipeline.name)!);
      const startedAt = clock.monotonic();
      const slot: Slot = { name, entries, backOff: this.#backOff(), thread: this.#spawn(name), startedAt, restarts: 0 };
      this.#slots.push(slot);
    }
    try {
      this.#setup = { plan, hubId: dataFolder.hubId, log: await this.#prepareLog(), once };
    } catch (error) {
      for (const { thread } of this.#slots) thread.terminate(null);
      await Promise.all(this.#slots.map(({ thread }) => thread.ended));
      throw error;
    }
    void this.#supervise();
  }

  /** A Kafka cluster is the workers' business; they wait for it. */
  async #prepareLog(): Promise<WorkerLog> {
    const { plan, dataFolder } = this.#options;
    if (plan.kafka !== null) return { kind: 'kafka', options: plan.kafka };
    return { kind: 'embedded', state: await dataFolder.prepare(plan.pipelines.map(logPlan)) };
  }

  status(): HubStatus {
    return {
      hubId: this.#options.dataFolder.hubId,
      since: this.#since,
      isDraining: this.#stopping.signal.aborted,
      pipelines: this.#slots.flatMap(({ name, entries }) => entries.map((entry) => entry.status(name))),
      workers: this.#slots.map(({ name, entries, thread, restarts }) => {
        const pipelines = entries.map((entry) => entry.name);
        return { name, pipelines, memoryBytes: thread.memoryBytes, restarts };
      }),
    };
  }

  resume(pipeline: string): boolean {
    const slot = this.#slots.find(({ entries }) => entries.some(({ name }) => name === pipeline));
    if (slot === undefined || this.#stopping.signal.aborted) return false;
    const entry = this.#entries.get(pipeline)!;
    if (entry.state.state === 'failed') void this.#restart(slot, entry, 0);
    else slot.thread.send({ type: 'resume', pipeline });
    return true;
  }

  stop({ drainMs }: { readonly drainMs: number }): Promise<HubEnd> {
    if (this.#stopping.signal.aborted) return this.finished;
    const { clock } = this.#options;
    this.#stopAt = clock.monotonic();
    this.#stopping.abort(new SluiceError('WORKER_LOST', 'stopping the hub'));
    for (const { state } of this.#entries.values()) state.handle('drain');
    for (const { thread } of this.#slots) thread.send({ type: 'stop', deadlineMs: drainMs });
    clock.sleep(drainMs + LEAVE_MS, this.#over.signal).then(
      () => {
        this.#terminateAll({ cause: 'exited', reason: 'the deadline for draining passed' });
      },
      () => undefined,
    );
    return this.finished;
  }

  force(): void {
    this.#stopAt ??= this.#options.clock.monotonic();
    this.#stopping.abort(new SluiceError('WORKER_LOST', 'ending the hub'));
    this.#terminateAll({ cause: 'exited', reason: 'ended by force' });
  }

  #createEntry(plan: HubPlan['pipelines'][number]): PipelineEntry {
    const { clock } = this.#options;
    const state = new PipelineStateHolder(
      () => clock.now(),
      (_before, after, reason) => {
        this.#tell(plan.name, after, reason);
      },
    );
    return new PipelineEntry(plan, state, this.#backOff());
  }

  #backOff(): BackOff {
    return new BackOff(this.#options.random ?? Math.random);
  }

  #tell(pipeline: string, state: SupervisedState, reason: string | null): void {
    const { log } = this.#options;
    const level = state === 'failed' || state === 'paused' ? 'error' : state === 'degraded' ? 'warn' : 'info';
    log[level]({ pipeline, state, ...(reason === null ? {} : { reason }) }, 'pipeline state changed');
  }

  #spawn(name: string): WorkerThread {
    const { workerUrl, logLevel, plan, clock, print } = this.#options;
    return new WorkerThread({
      url: workerUrl,
      name,
      logLevel,
      beatMs: beatIntervalMs(plan.watchdogMs),
      memoryBytes: plan.workerMemoryBytes,
      clock,
      onMessage: (message) => {
        this.#handle(name, message);
      },
      print,
    });
  }

  async #supervise(): Promise<void> {
    const { plan, clock } = this.#options;
    void watchWorkers({
      threads: () => this.#slots.map(({ thread }) => thread),
      plan,
      clock,
      signal: this.#over.signal,
    });
    await Promise.all(this.#slots.map((slot) => this.#keepRunning(slot)));
    this.#over.abort(new SluiceError('WORKER_LOST', 'watching workers: all ended'));
    const elapsedMs = this.#stopAt === null ? 0 : clock.monotonic() - this.#stopAt;
    this.#end.resolve({ pipelines: [...this.#entries.values()].map(({ result }) => result!), elapsedMs });
  }

  /** One worker after the other, until the hub stops or with `once` everything ended. */
  async #keepRunning(slot: Slot): Promise<void> {
    for (;;) {
      const pipelines = slot.entries.filter((entry) => !entry.isOver).map(({ name }) => name);
      for (const entry of slot.entries) entry.startedAt = slot.startedAt;
      slot.thread.send({ type: 'setup', setup: this.#setup!, pipelines });
      const loss = await slot.thread.ended;
      if (loss === null || this.#stopping.signal.aborted) {
        for (const entry of slot.entries) giveUp(entry, loss);
        return;
      }
      if (await this.#replace(slot, loss)) continue;
      for (const entry of slot.entries) giveUp(entry, loss);
      return;
    }
  }

  /** False when the hub stops meanwhile. A worker without pipelines waits for `resume`. */
  async #replace(slot: Slot, { cause, reason, stack }: Loss): Promise<boolean> {
    const { clock, log, metrics } = this.#options;
    const left = slot.entries.filter((entry) => !entry.isOver);
    const delayMs = Math.round(slot.backOff.next(clock.monotonic() - slot.startedAt));
    const pipelines = left.map(({ name }) => name).join(',');
    log.error({ worker: slot.name, pipelines, cause, reason, delayMs }, 'worker lost, restarting its pipelines');
    if (stack !== undefined) log.debug({ worker: slot.name, stack }, 'where the worker was lost');
    metrics.apply([{ name: METRIC.workerRestarts.name, labels: { worker: slot.name, cause }, value: 1 }]);
    for (const entry of left) {
      entry.settle();
      entry.state.handle('lost', reason);
    }
    if (!(await this.#waited(delayMs))) return false;
    for (const entry of left) await this.#recover(entry);
    if (this.#stopping.signal.aborted) return false;
    slot.restarts++;
    slot.startedAt = clock.monotonic();
    slot.thread = this.#spawn(slot.name);
    for (const entry of left) if (!entry.isOver) this.#startsAgain(entry);
    return true;
  }

  /** A pipeline whose worker goes on: its topic log is recovered, then it is started there again. */
  async #restart(slot: Slot, entry: PipelineEntry, delayMs: number): Promise<void> {
    const { thread } = slot;
    if (!(await this.#waited(delayMs)) || slot.thread !== thread) return;
    const isRecovered = await this.#recover(entry);
    if (!isRecovered || this.#stopping.signal.aborted || slot.thread !== thread) return;
    this.#startsAgain(entry);
    thread.send({ type: 'start', pipeline: entry.name });
  }

  #startsAgain(entry: PipelineEntry): void {
    if (!entry.state.handle('retry')) return;
    entry.restarts++;
    entry.startedAt = this.#options.clock.monotonic();
    this.#options.metrics.apply([{ name: METRIC.pipelineRestarts.name, labels: { pipeline: entry.name }, value: 1 }]);
  }

  /** A folder that cannot be recovered would be found so again: the pipeline fails, its neighbours go on. */
  async #recover(entry: PipelineEntry): Promise<boolean> {
    try {
      await this.#options.dataFolder.recover([entry.name]);
      return true;
    } catch (error) {
      entry.state.handle('failed', describeError(error));
      return false;
    }
  }

  async #waited(delayMs: number): Promise<boolean> {
    try {
      await this.#options.clock.sleep(delayMs, this.#stopping.signal);
      return true;
    } catch {
      return false;
    }
  }

  #handle(worker: string, message: FromWorker): void {
    const { log, metrics } = this.#options;
    switch (message.type) {
      case 'event': {
        const { pipeline, state, reason } = message.event;
        // The others are this side's own doing, or told by `ended`.
        const isNews = state === 'running' || state === 'degraded' || state === 'paused';
        if (isNews) this.#entries.get(pipeline)?.tell({ state, reason });
        break;
      }
      case 'waiting':
        this.#entries.get(message.pipeline)?.wait(message.reason);
        break;
      case 'report':
        metrics.apply(message.metrics);
        for (const status of message.statuses) this.#entries.get(status.name)?.report(status);
        break;
      case 'log':
        logEntry(log, message.entry);
        break;
      case 'ended':
        this.#ended(worker, this.#entries.get(message.pipeline)!, message.end);
        break;
      case 'refused':
        this.#refused(worker, this.#entries.get(message.pipeline)!, message);
        break;
      case 'stopped':
        break;
    }
  }

  #ended(worker: string, entry: PipelineEntry, end: PipelineEnd): void {
    entry.settle(end);
    const isLost = end.outcome === 'failed' && !this.#options.once && !this.#stopping.signal.aborted;
    if (isLost && end.isFinal === true) {
      entry.state.handle('failed', end.reason);
      return;
    }
    if (isLost) {
      this.#backOffAlone(worker, entry, end.reason ?? 'the topic log is lost');
      return;
    }
    entry.end(end.outcome, end.reason, end.inFlight);
    entry.state.handle(end.outcome === 'failed' ? 'failed' : 'stopped', end.reason);
  }

  #refused(worker: string, entry: PipelineEntry, { reason, isFinal }: { reason: string; isFinal: boolean }): void {
    entry.settle();
    if (this.#options.once || this.#stopping.signal.aborted) entry.end('failed', reason);
    if (isFinal || entry.result !== null) entry.state.handle('failed', reason);
    else this.#backOffAlone(worker, entry, reason);
  }

  #backOffAlone(worker: string, entry: PipelineEntry, reason: string): void {
    const delayMs = entry.backOff.next(this.#options.clock.monotonic() - entry.startedAt);
    if (!entry.state.handle('lost', reason)) return;
    this.#options.log.error(
      { pipeline: entry.name, reason, delayMs: Math.round(delayMs) },
      'pipeline lost, restarting it',
    );
    const slot = this.#slots.find(({ name }) => name === worker)!;
    void this.#restart(slot, entry, delayMs);
  }

  #terminateAll(loss: Loss): void {
    for (const { thread } of this.#slots) thread.terminate(loss);
  }
}

function giveUp(entry: PipelineEntry, loss: Loss | null): void {
  if (entry.result !== null) return;
  entry.settle();
  const { state, reason } = entry.state;
  const outcome: PipelineResult['outcome'] = state === 'failed' ? 'failed' : loss === null ? 'stopped' : 'lost';
  entry.end(outcome, loss?.reason ?? reason);
  entry.state.handle(outcome === 'failed' ? 'failed' : 'stopped', loss?.reason ?? reason);
}
