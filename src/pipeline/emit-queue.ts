import { SluiceError, type EmitOptions } from '../api/index.ts';
import type { CommitRequest } from '../log/index.ts';
import type { RecordBatchBuilder } from '../record/index.ts';
import { asSluiceError } from './as-sluice-error.ts';
import { EmitFlight, type Emit } from './emit-flight.ts';
import { createFlightRequest, type FlightRequest } from './flight-request.ts';
import { SealedRecords } from './sealed-records.ts';
import type { SourceTarget } from './source-target.ts';
import { Watermark } from './watermark.ts';

/** How much may wait for one commit before the next flight is begun; with a key less, since copying blocks the thread. */
const MAX_FLIGHT_BYTES = 8 * 1024 * 1024;
const MAX_KEYED_FLIGHT_BYTES = 1024 * 1024;

export interface CommittedFlight {
  readonly records: number;
  readonly bytes: number;
  readonly deadLetters: number;
  readonly dedupeIds: readonly string[];
}

export interface EmitQueueOptions {
  readonly target: SourceTarget;
  readonly commit: (request: CommitRequest) => Promise<void>;
  /** One rejection ends the run: whatever came later is rejected too, since it will be read again. */
  readonly rewinds: boolean;
  readonly onCommitted: (flight: CommittedFlight) => void;
  readonly onRejected: (error: unknown) => void;
}

/**
 * The emits of one run of a source, in their order, one commit at a time: the first departs at once, those that come meanwhile share the next. Positions
 * go into a commit only while everything emitted before is durable.
 */
export class EmitQueue {
  readonly #options: EmitQueueOptions;
  readonly #maxFlightBytes: number;
  readonly #watermark = new Watermark({ from: 0 });
  readonly #waiting: EmitFlight[] = [];
  readonly #stop = new AbortController();
  #departing: Promise<void> | null = null;
  #next = 0;
  #inFlight = 0;
  #failure: SluiceError | null = null;

  constructor(options: EmitQueueOptions) {
    this.#options = options;
    this.#maxFlightBytes = options.target.keyOf === null ? MAX_FLIGHT_BYTES : MAX_KEYED_FLIGHT_BYTES;
  }

  /** Records that wait for their commit. */
  get inFlight(): number {
    return this.#inFlight;
  }

  emit(records: RecordBatchBuilder | SealedRecords | null, options: EmitOptions): Promise<void> {
    if (this.#failure !== null) return this.#refuse(records, this.#failure);
    const { target } = this.#options;
    const rejected = options.rejected ?? [];
    if (rejected.length > 0 && target.deadLetter === null) {
      const cause = rejected[0]!.error;
      const error = new SluiceError('DEAD_LETTER_OFF', `refusing input at "${rejected[0]!.position}"`, { cause });
      const refusal = this.#refuse(records, error);
      this.#reject(error);
      return refusal;
    }
    const positions = options.positions === undefined ? [] : [...options.positions];
    return this.#enqueue(records, { ...options, rejected, positions });
  }

  /** Deletes a position, after everything emitted so far. */
  forget(partition: string): Promise<void> {
    if (this.#failure !== null) return this.#refuse(null, this.#failure);
    return this.#enqueue(null, { rejected: [], positions: [[partition, null]] });
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    while (this.#departing !== null) await this.#departing;
  }

  /** Rejects what waits and whatever comes; what is on its way to the disk settles as it does. */
  close(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = asSluiceError(error, 'SOURCE_FAILED', 'emitting');
    this.#stop.abort(error);
    for (const flight of this.#waiting.splice(0)) this.#settleRejected(flight, error);
  }

  #enqueue(
    records: RecordBatchBuilder | SealedRecords | null,
    options: Pick<Emit, 'positions' | 'rejected'> & Pick<EmitOptions, 'stream' | 'dedupeIds'>,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const { target } = this.#options;
      const number = this.#next++;
      const partition =
        target.keyOf === null ? target.partitioner.partitionFor(options.stream, records?.byteLength ?? 0) : 0;
      const { positions, rejected, dedupeIds = [] } = options;
      this.#watermark.begin({
        from: number,
        next: number + 1,
        records: { count: 1, offset: () => number },
        owner: undefined,
      });
      this.#inFlight += records?.count ?? 0;
      this.#flightWithRoom().add(records, partition, { number, positions, rejected, dedupeIds, resolve, reject });
      this.#departing ??= this.#depart();
    });
  }

  #flightWithRoom(): EmitFlight {
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.bytes < this.#maxFlightBytes) return last;
    const flight = new EmitFlight();
    this.#waiting.push(flight);
    return flight;
  }

  async #depart(): Promise<void> {
    for (let flight = this.#waiting.shift(); flight !== undefined; flight = this.#waiting.shift()) {
      try {
        const request = await this.#commit(flight);
        this.#settleCommitted(flight, request);
      } catch (error) {
        this.#settleRejected(flight, error);
        this.#reject(error);
      }
    }
    this.#departing = null;
  }

  async #commit(flight: EmitFlight): Promise<FlightRequest> {
    const savesPositions = this.#watermark.settled === flight.emits[0]!.number;
    const { signal } = this.#stop;
    const prepared = await createFlightRequest(flight, this.#options.target, { savesPositions, signal });
    try {
      // Closed while the copies were made: the next run may have read the positions already.
      signal.throwIfAborted();
      const { batches = [], positions = [], dedupe = [] } = prepared.request;
      if (batches.length + positions.length + dedupe.length > 0) await this.#options.commit(prepared.request);
    } finally {
      prepared.release();
    }
    return prepared;
  }

  #settleCommitted(flight: EmitFlight, { records, deadLetters }: FlightRequest): void {
    flight.release();
    let bytes = 0;
    const dedupeIds: string[] = [];
    for (const emit of flight.emits) {
      this.#watermark.finish(emit.number, emit.number + 1, 'delivered');
      this.#inFlight -= emit.count;
      bytes += emit.bytes;
      dedupeIds.push(...emit.dedupeIds);
    }
    this.#options.onCommitted({ records, bytes, deadLetters, dedupeIds });
    for (const emit of flight.emits) emit.resolve();
  }

  #settleRejected(flight: EmitFlight, error: unknown): void {
    flight.release();
    for (const emit of flight.emits) {
      this.#inFlight -= emit.count;
      emit.reject(error);
    }
  }

  #reject(error: unknown): void {
    if (this.#failure !== null) return;
    if (this.#options.rewinds) this.close(error);
    this.#options.onRejected(error);
  }

  #refuse(records: RecordBatchBuilder | SealedRecords | null, error: SluiceError): Promise<never> {
    if (!(records instanceof SealedRecords)) records?.release();
    return Promise.reject(error);
  }
}
