import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { describeError, SluiceError, type ErrorCode, type Logger } from '../api/index.ts';
import type { PipelinePlan } from '../config/index.ts';
import type { PipelineEnd, PipelineEvent, RunningPipeline } from '../pipeline/index.ts';
import { createEntryLogger, MetricsRecorder, realClock } from '../telemetry/index.ts';
import { allListeners } from '../toolkit/index.ts';
import { beatOnce } from './beat.ts';
import type { FromWorker, ToWorker, WorkerData, WorkerSetup } from './protocol.ts';

export interface OpenContext {
  readonly setup: WorkerSetup;
  /** This pipeline's share of the worker's record buffers. */
  readonly bufferBytes: number;
  readonly log: Logger;
  readonly metrics: MetricsRecorder;
  readonly onEvent: (event: PipelineEvent) => void;
  /** What the topic log waits for, in words; null once it goes on. The pipeline is degraded meanwhile, before its start too. */
  readonly onWait: (reason: string | null) => void;
  /** Aborted when the hub stops: what still waits to be opened gives up. */
  readonly signal: AbortSignal;
}

export interface OpenedPipeline {
  readonly running: RunningPipeline;
  /** After the end: closes the topic log. */
  close(): Promise<void>;
}

/** How a worker starts a pipeline: what the supervisor does not know. */
export type OpenPipeline = (plan: PipelinePlan, context: OpenContext) => Promise<OpenedPipeline>;

/** Another start would find the same. */
const FINAL: readonly ErrorCode[] = ['LOG_CORRUPT', 'TOPIC_CHANGED'];

const NOTHING_DONE: PipelineEnd = {
  outcome: 'stopped',
  reason: null,
  recordsIn: 0,
  delivered: 0,
  dropped: 0,
  deadLettered: 0,
  inFlight: 0,
};

/** The whole work of a worker thread: runs what the main thread asks for, and shows that it is alive. */
export function hostPipelines(open: OpenPipeline): void {
  if (parentPort === null) throw new Error('hosting pipelines: this is no worker thread');
  new WorkerHost(parentPort, workerData as WorkerData, open).start();
}

class WorkerHost {
  readonly #port: MessagePort;
  readonly #data: WorkerData;
  readonly #open: OpenPipeline;
  readonly #metrics = new MetricsRecorder();
  readonly #log: Logger;
  readonly #running = new Map<string, RunningPipeline>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #setup: WorkerSetup | null = null;
  #share = 0;
  /** On the monotonic clock; null while nobody asked to stop. */
  #stopAt: number | null = null;
  #told = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(port: MessagePort, data: WorkerData, open: OpenPipeline) {
    this.#port = port;
    this.#data = data;
    this.#open = open;
    this.#log = createEntryLogger({
      level: data.logLevel,
      clock: realClock,
      write: (entry) => {
        this.#send({ type: 'log', entry });
      },
    });
  }

  start(): void {
    beatOnce(this.#data.beat);
    this.#timer = setInterval(() => {
      beatOnce(this.#data.beat);
      this.#report();
    }, this.#data.beatMs);
    this.#port.on('message', (message: ToWorker) => {
      this.#handle(message);
    });
  }

  #handle(message: ToWorker): void {
    switch (message.type) {
      case 'setup':
        this.#setup = message.setup;
        this.#share = Math.floor(message.setup.plan.bufferBytes / Math.max(1, message.pipelines.length));
        allListeners.limitBytes = message.setup.plan.listenerBytes;
        for (const pipeline of message.pipelines) this.#start(pipeline);
        break;
      case 'start':
        this.#start(message.pipeline);
        break;
      case 'resume':
        this.#running.get(message.pipeline)?.resume();
        break;
      case 'stop':
        this.#stop(message.deadlineMs);
        break;
    }
  }

  #start(name: string): void {
    const plan = this.#setup?.plan.pipelines.find((pipeline) => pipeline.name === name);
    if (plan === undefined || this.#stopAt !== null) return;
    const task = this.#run(plan, this.#setup!).finally(() => {
      this.#tasks.delete(task);
      if (this.#tasks.size === 0 && (this.#stopAt !== null || this.#setup!.once)) this.#end();
    });
    this.#tasks.add(task);
  }

  /** From the opening of its log to the closing. Never rejects. */
  async #run(plan: PipelinePlan, setup: WorkerSetup): Promise<void> {
    const pipeline = plan.name;
    try {
      const opened = await this.#open(plan, {
        setup,
        bufferBytes: this.#share,
        log: this.#log,
        metrics: this.#metrics,
        onEvent: (event) => {
          this.#send({ type: 'event', event });
        },
        onWait: (reason) => {
          this.#send({ type: 'waiting', pipeline, reason });
        },
        signal: this.#stopping.signal,
      });
      const { running } = opened;
      this.#running.set(pipeline, running);
      const { state, reason } = running.status();
      this.#send({ type: 'event', event: { type: 'state', pipeline, state, reason, leg: null } });
      this.#report();
      if (this.#stopAt !== null) void running.stop({ deadlineMs: this.#leftMs() });
      const end = await running.finished;
      await opened.close().catch((error: unknown) => {
        this.#log.error({ pipeline, cause: describeError(error) }, 'closing the topic log did not work');
      });
      this.#report();
      this.#running.delete(pipeline);
      this.#send({ type: 'ended', pipeline, end });
    } catch (error) {
      this.#running.delete(pipeline);
      const isFinal = error instanceof SluiceError && FINAL.includes(error.code);
      // Whoever was told to give up has nothing to complain about.
      if (this.#stopping.signal.aborted) this.#send({ type: 'ended', pipeline, end: NOTHING_DONE });
      else this.#send({ type: 'refused', pipeline, reason: describeError(error), isFinal });
    }
  }

  #stop(deadlineMs: number): void {
    this.#stopAt = realClock.monotonic() + deadlineMs;
    this.#stopping.abort(new SluiceError('LOG_CLOSED', 'opening a pipeline: the hub stops'));
    for (const running of this.#running.values()) void running.stop({ deadlineMs });
    if (this.#tasks.size === 0) this.#end();
  }

  #leftMs(): number {
    return Math.max(0, (this.#stopAt ?? 0) - realClock.monotonic());
  }

  /** Only what changed crosses: an idle worker sends nothing. */
  #report(): void {
    const statuses = [...this.#running.values()].map((running) => running.status());
    const metrics = this.#metrics.drain();
    const text = JSON.stringify(statuses);
    if (text === this.#told && metrics.length === 0) return;
    this.#told = text;
    this.#send({ type: 'report', statuses, metrics });
  }

  #end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#report();
    this.#send({ type: 'stopped' });
    this.#port.close();
  }

  #send(message: FromWorker): void {
    this.#port.postMessage(message);
  }
}
