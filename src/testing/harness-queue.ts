import type { EmitOptions, Position, RejectedRecord } from '../api/index.ts';
import type { RecordBatchBuilder } from '../record/index.ts';

/** A record as the topic got it. The bytes are copies. */
export interface EmittedRecord {
  readonly value: Buffer | null;
  readonly key: Buffer | null;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
  readonly stream: string | undefined;
}

/** One emit, or `forget`: an emit without records whose position is null. */
export interface HarnessEmit {
  readonly count: number;
  readonly bytes: number;
  readonly stream: string | undefined;
  readonly positions: readonly (readonly [partition: string, position: Position | null])[];
  readonly rejected: readonly RejectedRecord[];
  readonly dedupeIds: readonly string[];
}

export interface HarnessQueueOptions {
  /** Delays or, by rejecting, refuses one commit of the emits that waited for it. */
  readonly commit: (emits: readonly HarnessEmit[]) => Promise<void>;
  /** The emits are durable. Null while the records are not to be kept. */
  readonly onCommitted: (emit: HarnessEmit, records: readonly EmittedRecord[] | null, savesPositions: boolean) => void;
  readonly onRejected: (error: unknown) => void;
  readonly rewinds: boolean;
  readonly keepsRecords: boolean;
}

interface Waiting extends HarnessEmit {
  readonly builder: RecordBatchBuilder | null;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The emits of one life, in their order, one commit at a time, as the pipeline's own queue settles them. */
export class HarnessQueue {
  readonly #options: HarnessQueueOptions;
  #waiting: Waiting[] = [];
  #departing: Promise<void> | null = null;
  #failure: { readonly error: Error } | null = null;
  /** Something emitted before is not durable: no later position may be saved in this life. */
  #hasGap = false;
  inFlight = 0;

  constructor(options: HarnessQueueOptions) {
    this.#options = options;
  }

  emit(builder: RecordBatchBuilder, options: EmitOptions): Promise<void> {
    return this.#add(builder, {
      count: builder.count,
      bytes: builder.byteLength,
      stream: options.stream,
      positions: [...(options.positions ?? [])],
      rejected: options.rejected ?? [],
      dedupeIds: options.dedupeIds ?? [],
    });
  }

  forget(partition: string): Promise<void> {
    const emit = { count: 0, bytes: 0, stream: undefined, rejected: [], dedupeIds: [] };
    return this.#add(null, { ...emit, positions: [[partition, null]] });
  }

  async settled(): Promise<void> {
    while (this.#departing !== null) await this.#departing;
  }

  /** Rejects what waits and whatever comes; a commit under way is rejected too: nobody will hear that it was made. */
  close(error: unknown): void {
    this.#failure ??= { error: error as Error };
    for (const waiting of this.#waiting.splice(0)) this.#reject(waiting, error);
  }

  #add(builder: RecordBatchBuilder | null, emit: HarnessEmit): Promise<void> {
    if (this.#failure !== null) {
      builder?.release();
      return Promise.reject(this.#failure.error);
    }
    return new Promise((resolve, reject) => {
      this.inFlight += emit.count;
      this.#waiting.push({ ...emit, builder, resolve, reject });
      this.#departing ??= this.#depart();
    });
  }

  async #depart(): Promise<void> {
    while (this.#waiting.length > 0) {
      const flight = this.#waiting.splice(0);
      try {
        await this.#options.commit(flight);
        if (this.#failure !== null) throw this.#failure.error;
        for (const waiting of flight) this.#settle(waiting);
      } catch (error) {
        this.#hasGap = true;
        for (const waiting of flight) this.#reject(waiting, error);
        const isFirst = this.#failure === null;
        if (this.#options.rewinds) this.close(error);
        if (isFirst) this.#options.onRejected(error);
      }
    }
    this.#departing = null;
  }

  #settle(waiting: Waiting): void {
    const { builder, stream } = waiting;
    const records = this.#options.keepsRecords ? copyRecords(builder, stream) : null;
    // As late as the engine looks at them: until then they are the source's business.
    const rejected = waiting.rejected.map((record) => ({ ...record, value: copyOf(record.value) }));
    builder?.release();
    this.inFlight -= waiting.count;
    this.#options.onCommitted({ ...waiting, rejected }, records, !this.#hasGap);
    waiting.resolve();
  }

  #reject({ builder, count, reject }: Waiting, error: unknown): void {
    builder?.release();
    this.inFlight -= count;
    reject(error);
  }
}

function copyRecords(builder: RecordBatchBuilder | null, stream: string | undefined): EmittedRecord[] {
  return Array.from({ length: builder?.count ?? 0 }, (_, index) => ({
    value: copyOf(builder!.valueAt(index)),
    key: copyOf(builder!.keyAt(index)),
    timestamp: builder!.timestampAt(index),
    headers: [...builder!.headersAt(index)].map(([name, value]) => [name, copyOf(value)] as const),
    stream,
  }));
}

function copyOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}
