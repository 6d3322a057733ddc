import {
  SluiceError,
  type BatchBuilder,
  type Clock,
  type Json,
  type Logger,
  type Position,
  type RejectedRecord,
  type Source,
  type SourceContext,
  type SourceDefinition,
} from '../api/index.ts';
import { BufferPool, bufferBytesFor, RecordBatchBuilder, type PooledBuffer } from '../record/index.ts';
import { HarnessQueue, type EmittedRecord, type HarnessEmit } from './harness-queue.ts';
import { ManualClock } from './manual-clock.ts';
import { noMetrics } from './sink-harness.ts';

const LARGE_BATCH_BYTES = 1024 * 1024;

interface CommonOptions {
  /** Default: a clock that stands still until it is told to go on. */
  readonly clock?: Clock;
  /** Default false. */
  readonly once?: boolean;
  /** Default 1 MiB. */
  readonly maxRecordBytes?: number;
  /** What the source may hold in builders, waiting emits included. Default 16 MiB. */
  readonly budgetBytes?: number;
  readonly hubId?: string;
  /** Called for each commit before it is made, with the emits that share it: waits as long as it likes, rejects them by throwing. */
  readonly onCommit?: (emits: readonly HarnessEmit[]) => Promise<void> | void;
  /** Default true. False for measurements: records are counted only. */
  readonly keepsRecords?: boolean;
}

/** `options` are what `create` of the definition gets: durations and sizes as numbers, paths absolute. */
export type SourceHarnessOptions = CommonOptions &
  (
    | { readonly definition: SourceDefinition; readonly options: Readonly<Record<string, unknown>> }
    | { readonly create: () => Promise<Source> | Source; readonly rewinds?: boolean }
  );

export interface HarnessLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

export function createSourceHarness(options: SourceHarnessOptions): SourceHarness {
  return new SourceHarness(options);
}

/**
 * Drives a source as a pipeline does: a life begins with the saved positions, emits are committed in their order and one commit at a time, positions are saved
 * only with settled emits, and after a rejected emit a source that rewinds is aborted. A kill forgets whatever was not settled.
 */
export class SourceHarness {
  readonly clock: Clock;
  /** What is durable in the topic, of all lives, in order. */
  readonly records: EmittedRecord[] = [];
  /** Durable emits of all lives. */
  readonly emits: HarnessEmit[] = [];
  readonly rejected: RejectedRecord[] = [];
  readonly positions = new Map<string, Position>();
  readonly dedupeIds = new Set<string>();
  readonly lines: HarnessLogLine[] = [];
  readonly pool: BufferPool;
  /** Durable records, kept or not. */
  count = 0;
  /** What the source said last by `report`. */
  status = '';
  /** What it said last by `waiting`. */
  waitsFor: string | null = null;
  /** False: the topic log refuses input, so `tryBatch` gives nothing. */
  accepting = true;
  readonly #options: SourceHarnessOptions;
  #life: Life | null = null;
  #held: { readonly promise: Promise<unknown>; readonly resolve: (value: null) => void } | null = null;
  #refusal: Error | null = null;

  constructor(options: SourceHarnessOptions) {
    this.#options = options;
    this.clock = options.clock ?? new ManualClock();
    this.pool = new BufferPool({ budgetBytes: options.budgetBytes ?? 16 * 1024 * 1024 });
  }

  /** Values of `records` as text. */
  get values(): string[] {
    return this.records.map(({ value }) => (value === null ? '' : value.toString()));
  }

  /** Records that wait for their commit. */
  get inFlight(): number {
    return this.#life?.queue.inFlight ?? 0;
  }

  /** Of the current life; resolves when the source has ended by itself, rejects with what it or an emit failed with. */
  get ended(): Promise<void> {
    return this.#current().ended;
  }

  /** Begins a life. */
  async start(): Promise<void> {
    if (this.#life !== null) throw new Error('the source lives already: stop or kill it first');
    const options = this.#options;
    const isDefined = 'definition' in options;
    const source = isDefined ? await options.definition.create(options.options) : await options.create();
    const life = new Life({
      harness: this,
      options,
      rewinds: isDefined ? options.definition.rewinds : (options.rewinds ?? true),
      commit: (emits) => this.#commit(emits),
    });
    this.#life = life;
    life.run(source);
  }

  /** Asks the source to end and waits for it and its emits, as a drain does. Rejects with what the life failed with. */
  async stop(): Promise<void> {
    const life = this.#current();
    life.abort(new Error('the harness stops the source'));
    try {
      await life.ended;
    } finally {
      await life.queue.settled();
      this.#life = null;
    }
  }

  /** As SIGKILL: from the call on nothing counts any more. Resolves when the source has let go of what it held. */
  async kill(): Promise<void> {
    const life = this.#current();
    life.kill(new Error('the harness killed the source'));
    this.release();
    await life.ended.catch(() => undefined);
    await life.queue.settled();
    this.#life = null;
  }

  /** Commits wait until `release`. */
  hold(): void {
    this.#held ??= Promise.withResolvers<null>();
  }

  release(): void {
    this.#held?.resolve(null);
    this.#held = null;
  }

  /** The next commit is refused with this. */
  refuseNext(error: Error = new SluiceError('LOG_FULL', 'committing', { retryable: true })): void {
    this.#refusal = error;
  }

  /** Takes what is left of the byte budget, until the returned function is called. */
  spendBudget(): () => void {
    const taken: PooledBuffer[] = [];
    for (let buffer = this.pool.tryAcquire(1); buffer !== null; buffer = this.pool.tryAcquire(1)) taken.push(buffer);
    return () => {
      for (const buffer of taken.splice(0)) buffer.release();
    };
  }

  #current(): Life {
    if (this.#life === null) throw new Error('the source does not live');
    return this.#life;
  }

  async #commit(emits: readonly HarnessEmit[]): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.#held?.promise;
    const refusal = this.#refusal;
    this.#refusal = null;
    if (refusal !== null) throw refusal;
    await this.#options.onCommit?.(emits);
  }
}

interface LifeOptions {
  readonly harness: SourceHarness;
  readonly options: CommonOptions;
  readonly rewinds: boolean;
  readonly commit: (emits: readonly HarnessEmit[]) => Promise<void>;
}

/** One run of the source, and the buffers that it has not given back. */
class Life {
  readonly queue: HarnessQueue;
  ended: Promise<void> = Promise.resolve();
  readonly #options: LifeOptions;
  readonly #lent = new Set<RecordBatchBuilder>();
  readonly #controller = new AbortController();
  #failure: { readonly error: unknown } | null = null;
  #isOver = false;

  constructor(options: LifeOptions) {
    this.#options = options;
    const { harness } = options;
    this.queue = new HarnessQueue({
      commit: options.commit,
      rewinds: options.rewinds,
      keepsRecords: options.options.keepsRecords ?? true,
      onCommitted: (emit, records, savesPositions) => {
        harness.emits.push(emit);
        harness.count += emit.count;
        if (records !== null) for (const record of records) harness.records.push(record);
        harness.rejected.push(...emit.rejected);
        for (const id of emit.dedupeIds) harness.dedupeIds.add(id);
        for (const [partition, position] of emit.positions) {
          if (position === null) harness.positions.delete(partition);
          // Opaque JSON: what is loaded later must not be the object that the source may still change.
          else if (savesPositions) harness.positions.set(partition, copyOfJson(position));
        }
      },
      onRejected: (error) => {
        if (!options.rewinds) return;
        this.#failure ??= { error };
        this.abort(error);
      },
    });
  }

  run(source: Source): void {
    this.ended = this.#run(source);
    // A test may look at it later, or never.
    this.ended.catch(() => undefined);
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  kill(reason: unknown): void {
    this.queue.close(reason);
    this.abort(reason);
    this.#end();
  }

  async #run(source: Source): Promise<void> {
    try {
      await source.run(this.#context());
      await this.queue.settled();
    } catch (error) {
      this.queue.close(error);
      // Whoever was asked to end may end by the signal's reason.
      if (!this.#controller.signal.aborted) throw error;
    } finally {
      this.#end();
    }
    if (this.#failure !== null) throw this.#failure.error as Error;
  }

  #end(): void {
    this.#isOver = true;
    for (const builder of [...this.#lent]) builder.release();
  }

  #context(): SourceContext {
    const { harness, options } = this.#options;
    const { signal } = this.#controller;
    const { once = false, maxRecordBytes = 1024 * 1024, hubId = 'hub' } = options;
    return {
      pipeline: 'test',
      name: 'source',
      hubId,
      group: 'default',
      log: recordingLogger(harness.lines),
      metrics: noMetrics,
      clock: harness.clock,
      signal,
      once,
      maxRecordBytes,
      largeBatchBytes: LARGE_BATCH_BYTES,
      batch: async (minimumBytes) =>
        this.#lend(await harness.pool.acquire(bytesFor(minimumBytes), signal), maxRecordBytes),
      tryBatch: (minimumBytes) => {
        if (this.#isOver || !harness.accepting) return null;
        const buffer = harness.pool.tryAcquire(bytesFor(minimumBytes));
        return buffer === null ? null : this.#lend(buffer, maxRecordBytes);
      },
      emit: (batch, emitOptions = {}) => {
        const emitted = this.#emit(batch, emitOptions);
        // A source may look at it later, or never when it was aborted.
        emitted.catch(() => undefined);
        return emitted;
      },
      outbound: { deny: [], allow: [] },
      load: (partitions) => this.#load(partitions),
      // As a leg that looks into its records: they come by `emit`, where the harness sees them.
      emitSealed: null,
      forget: (partition) => this.queue.forget(partition),
      seen: (id) => harness.dedupeIds.has(id),
      report: (status) => {
        if (!this.#isOver) harness.status = status;
      },
      waiting: (reason) => {
        if (!this.#isOver) harness.waitsFor = reason;
      },
    };
  }

  async #load(partitions?: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    await Promise.resolve();
    const saved = [...this.#options.harness.positions];
    return new Map(saved.filter(([partition]) => partitions?.includes(partition) ?? true));
  }

  // Runs up to the queue before the caller goes on: the builder has changed hands by then.
  async #emit(batch: BatchBuilder, options: Parameters<SourceContext['emit']>[1] & object): Promise<void> {
    if (!(batch instanceof RecordBatchBuilder) || !this.#lent.delete(batch)) {
      throw this.#isOver ? overError() : new TypeError('emitting a batch that this source does not own');
    }
    await this.queue.emit(batch, options);
  }

  #lend(buffer: PooledBuffer, maxRecordBytes: number): BatchBuilder {
    if (this.#isOver) {
      buffer.release();
      throw overError();
    }
    const release = (): void => {
      this.#lent.delete(builder);
      buffer.release();
    };
    const { clock } = this.#options.harness;
    const builder = new RecordBatchBuilder(
      { bytes: buffer.bytes, release },
      { maxRecordBytes, now: () => clock.now() },
    );
    this.#lent.add(builder);
    return builder;
  }
}

function bytesFor(minimumBytes: number | undefined): number {
  return minimumBytes === undefined ? 1 : bufferBytesFor(minimumBytes);
}

function overError(): SluiceError {
  return new SluiceError('SOURCE_FAILED', 'using the context of a life that is over');
}

function copyOfJson(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

function recordingLogger(lines: HarnessLogLine[], bound: object = {}): Logger {
  const at =
    (level: HarnessLogLine['level']) =>
    (fields: object, message: string): void => {
      lines.push({ level, fields: { ...bound, ...fields }, message });
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => recordingLogger(lines, { ...bound, ...fields }),
  };
}
