import type { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { describeError, type Clock } from '../api/index.ts';
import type { LogLevel } from '../telemetry/index.ts';
import { beatCount, beatMemory, createBeat } from './beat.ts';
import type { FromWorker, ToWorker, WorkerData } from './protocol.ts';

/** What a worker printed goes here; a promise is waited for, which is the back-pressure. */
export type Print = (stream: 'stdout' | 'stderr', text: Uint8Array) => void | Promise<void>;

type LossCause = 'crashed' | 'exited' | 'blocked' | 'memory';

export interface Loss {
  readonly cause: LossCause;
  /** For people. */
  readonly reason: string;
  /** For authors of connectors. */
  readonly stack?: string;
}

export interface WorkerThreadOptions {
  readonly url: URL;
  readonly name: string;
  readonly logLevel: LogLevel;
  readonly beatMs: number;
  readonly memoryBytes: number;
  readonly clock: Clock;
  readonly onMessage: (message: FromWorker) => void;
  readonly print: Print;
}

/** A thread that said that it is done may take so long to end: a connector may have left a socket open. */
const LEAVE_MS = 1000;
const MIB = 1024 * 1024;
/**
 * Small, so that it is often cleared of the views of buffers that compression made: with the default V8 marks the old generation, which hardly changes, several
 * times a second, at a third of the cost of a record.
 */
const YOUNG_GENERATION_MIB = 6;

/** A worker thread as the main thread sees it: its messages, its beat, and how it ended. */
export class WorkerThread {
  /** Null when it ended as asked. Everything that it wrote is on its way to the disk, and printed, by then. */
  readonly ended: Promise<Loss | null>;
  readonly #worker: Worker;
  readonly #options: WorkerThreadOptions;
  readonly #beat = createBeat();
  #loss: Loss | null = null;
  #isDone = false;
  #beats = 0;
  #lastBeatAt: number;

  constructor(options: WorkerThreadOptions) {
    this.#options = options;
    this.#lastBeatAt = options.clock.monotonic();
    const { url, name, logLevel, beatMs, memoryBytes } = options;
    const workerData: WorkerData = { beat: this.#beat, beatMs, logLevel };
    this.#worker = new Worker(url, {
      name,
      workerData,
      stdout: true,
      stderr: true,
      // The heap's own limit, for what grows without letting the event loop turn; buffers count at the beat only.
      resourceLimits: {
        maxOldGenerationSizeMb: Math.ceil(memoryBytes / MIB),
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB,
      },
    });
    this.ended = this.#watch();
  }

  get memoryBytes(): number {
    return beatMemory(this.#beat);
  }

  /** Milliseconds since the event loop showed itself; `now` is monotonic. */
  silentMs(now: number): number {
    const beats = beatCount(this.#beat);
    if (beats !== this.#beats) {
      this.#beats = beats;
      this.#lastBeatAt = now;
    }
    return now - this.#lastBeatAt;
  }

  /** Time that did not count: the whole process stood still. */
  forgive(now: number): void {
    this.#lastBeatAt = now;
  }

  send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Ends it wherever it is, a busy loop included. */
  terminate(loss: Loss | null): void {
    this.#loss ??= loss;
    this.#isDone ||= loss === null;
    void this.#worker.terminate();
  }

  async #watch(): Promise<Loss | null> {
    const worker = this.#worker;
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'stopped') this.#leave();
      this.#options.onMessage(message);
    });
    worker.on('messageerror', (error) => {
      this.terminate({ cause: 'crashed', reason: `reading a message of the worker: ${describeError(error)}` });
    });
    worker.on('error', (error: unknown) => {
      this.#loss ??= lossOf(error);
    });
    const printed = [this.#pump('stdout', worker.stdout), this.#pump('stderr', worker.stderr)];
    const code = await new Promise<number>((resolve) => {
      worker.once('exit', resolve);
    });
    await Promise.all(printed);
    if (this.#isDone) return null;
    return this.#loss ?? { cause: 'exited', reason: `the worker ended by itself with code ${code}` };
  }

  #leave(): void {
    this.#isDone = true;
    const patience = new AbortController();
    this.#worker.once('exit', () => {
      patience.abort();
    });
    this.#options.clock.sleep(LEAVE_MS, patience.signal).then(
      () => {
        this.terminate(null);
      },
      () => undefined,
    );
  }

  async #pump(stream: 'stdout' | 'stderr', from: Readable): Promise<void> {
    try {
      for await (const chunk of from) await this.#options.print(stream, chunk as Uint8Array);
    } catch {
      // The thread was ended in the middle of a line.
    }
  }
}

/** Anything can be thrown, null and text included. */
function lossOf(error: unknown): Loss {
  const { code, stack } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    stack?: unknown;
  };
  const cause = code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'crashed';
  const reason = describeError(error);
  return { cause, reason: reason === '' ? String(error) : reason, ...(typeof stack === 'string' ? { stack } : {}) };
}
