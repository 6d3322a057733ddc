import {
  SluiceError,
  type BatchBuilder,
  type ConnectorContext,
  type EmitOptions,
  type Position,
  type SealedEmitOptions,
  type SourceContext,
} from '../api/index.ts';
import type { TopicLog } from '../log/index.ts';
import { bufferBytesFor, RecordBatchBuilder, type BufferPool, type PooledBuffer } from '../record/index.ts';
import { largeBatchBytesIn } from './buffer-share.ts';
import type { EmitQueue } from './emit-queue.ts';
import type { Gate } from './gate.ts';
import { SealedRecords } from './sealed-records.ts';

export interface SourceRunOptions {
  readonly connector: ConnectorContext;
  readonly once: boolean;
  readonly maxRecordBytes: number;
  readonly pool: BufferPool;
  readonly gate: Gate;
  readonly topicLog: TopicLog;
  readonly queue: EmitQueue;
  /** Nothing looks into a record on its way to the topic. */
  readonly passesSealed: boolean;
  readonly seen: (dedupeId: string) => boolean;
  readonly report: (status: string) => void;
}

/** One run of a source: what it may do, and the buffers that it has not given back. */
export class SourceRun {
  readonly context: SourceContext;
  readonly #options: SourceRunOptions;
  readonly #lent = new Set<RecordBatchBuilder>();
  #isOver = false;

  constructor(options: SourceRunOptions) {
    this.#options = options;
    const { connector, queue, topicLog, seen, report } = options;
    this.context = {
      ...connector,
      once: options.once,
      maxRecordBytes: options.maxRecordBytes,
      largeBatchBytes: largeBatchBytesIn(options.pool.budgetBytes),
      batch: (minimumBytes) => this.#batch(minimumBytes),
      tryBatch: (minimumBytes) => this.#tryBatch(minimumBytes),
      // Runs up to the queue before the caller goes on: the builder has changed hands by then.
      emit: (batch, emitOptions = {}) => this.#emit(batch, emitOptions),
      emitSealed: options.passesSealed ? (batches, emitOptions = {}) => this.#emitSealed(batches, emitOptions) : null,
      load: async (partitions, fence) => {
        const claim = partitions === undefined || fence === undefined ? undefined : { partitions, fence };
        return selected(await topicLog.positions(connector.name, claim), partitions);
      },
      forget: (partition) => queue.forget(partition),
      seen,
      report,
    };
  }

  /** After it nothing that the source still holds can be written to. */
  end(): void {
    this.#isOver = true;
    for (const builder of [...this.#lent]) builder.release();
  }

  #emit(batch: BatchBuilder, options: EmitOptions): Promise<void> {
    if (!(batch instanceof RecordBatchBuilder) || !this.#lent.delete(batch)) {
      const notOwned = new TypeError('emitting a batch that this source does not own');
      return watched(Promise.reject(this.#isOver ? this.#overError() : notOwned));
    }
    return watched(this.#options.queue.emit(batch, options));
  }

  #emitSealed(batches: Buffer, { release, ...options }: SealedEmitOptions): Promise<void> {
    return watched(this.#options.queue.emit(new SealedRecords(batches, release), options));
  }

  async #batch(minimumBytes?: number): Promise<BatchBuilder> {
    const { gate, pool, connector } = this.#options;
    await gate.passed(connector.signal);
    const buffer = await pool.acquire(this.#bytesFor(minimumBytes), connector.signal);
    return this.#lend(buffer);
  }

  #tryBatch(minimumBytes?: number): BatchBuilder | null {
    const { gate, pool, topicLog } = this.#options;
    if (this.#isOver || !gate.isOpen || !topicLog.accepting) return null;
    const buffer = pool.tryAcquire(this.#bytesFor(minimumBytes));
    return buffer === null ? null : this.#lend(buffer);
  }

  #bytesFor(minimumBytes: number | undefined): number {
    return minimumBytes === undefined ? 1 : bufferBytesFor(minimumBytes);
  }

  #lend(buffer: PooledBuffer): BatchBuilder {
    if (this.#isOver) {
      buffer.release();
      throw this.#overError();
    }
    const { connector, maxRecordBytes } = this.#options;
    const release = (): void => {
      this.#lent.delete(builder);
      buffer.release();
    };
    const builder = new RecordBatchBuilder(
      { bytes: buffer.bytes, release },
      {
        maxRecordBytes,
        now: () => connector.clock.now(),
      },
    );
    this.#lent.add(builder);
    return builder;
  }

  #overError(): SluiceError {
    return new SluiceError(
      'SOURCE_FAILED',
      `using the context of a run of source "${this.#options.connector.name}" that is over`,
    );
  }
}

/** A source may look at it later, or never when it was aborted. */
function watched(emitted: Promise<void>): Promise<void> {
  emitted.catch(ignore);
  return emitted;
}

function ignore(): void {
  // Whoever waits for the emit is told.
}

function selected(
  all: ReadonlyMap<string, Position>,
  partitions: readonly string[] | undefined,
): ReadonlyMap<string, Position> {
  if (partitions === undefined) return all;
  const wanted = new Map<string, Position>();
  for (const partition of partitions) {
    const position = all.get(partition);
    if (position !== undefined) wanted.set(partition, position);
  }
  return wanted;
}
