import { SluiceError, type EmitOptions } from '../api/index.ts';
import type { CommitRequest } from '../log/index.ts';
import type { RecordBatchBuilder } from '../record/index.ts';
import { crashPoint } from '../telemetry/index.ts';
import { asSluiceError } from './as-sluice-error.ts';
import type { EmitFlight, NewEmit } from './emit-flight.ts';
import { EmitLane } from './emit-lane.ts';
import { LineLanes, OneLane, PartitionLanes, type EmitLanes } from './emit-lanes.ts';
import type { FlightRequest } from './flight-request.ts';
import type { SealedRecords } from './sealed-records.ts';
import type { SourceTarget } from './source-target.ts';

/** Of one lane: as many as keep a link with latency busy. */
const MAX_COMMITS = 4;

export interface CommittedFlight {
  readonly records: number;
  readonly bytes: number;
  readonly deadLetters: number;
  readonly dedupeIds: readonly string[];
}

export interface EmitQueueOptions {
  readonly target: SourceTarget;
  readonly commit: (request: CommitRequest) => Promise<void>;
  /** The topic log can have a commit wait for one partition while others go on. */
  readonly partitionsFailApart: boolean;
  /** What is committed together carries positions of one partition of the source. */
  readonly commitsLinesApart: boolean;
  /** One rejection ends the run: whatever came later is rejected too, since it will be read again. */
  readonly rewinds: boolean;
  readonly onCommitted: (flight: CommittedFlight) => void;
  readonly onRejected: (error: unknown) => void;
}

/**
 * The emits of one run of a source. Those with positions of one partition settle in their order, so a position goes into a commit only while everything
 * that it speaks for is durable.
 */
export class EmitQueue {
  readonly #options: EmitQueueOptions;
  readonly #lanes: EmitLanes;
  /** Emits that wait for others to settle before they have a lane, and whatever came behind them. */
  readonly #held: NewEmit[] = [];
  readonly #stop = new AbortController();
  #inFlight = 0;
  /** Something emitted is not durable: no later position may be saved in this run. */
  #hasGap = false;
  #failure: SluiceError | null = null;

  constructor(options: EmitQueueOptions) {
    this.#options = options;
    this.#lanes = this.#createLanes();
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
    crashPoint('after-read');
    return this.#enqueue(records, { ...options, rejected, positions });
  }

  /** Deletes a position, after everything emitted so far that carried one of its partition. */
  forget(partition: string): Promise<void> {
    if (this.#failure !== null) return this.#refuse(null, this.#failure);
    return this.#enqueue(null, { rejected: [], positions: [[partition, null]] });
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    const settling = (): Promise<void>[] => [...this.#lanes.all].flatMap(({ settled }) => settled ?? []);
    for (let waiting = settling(); waiting.length > 0; waiting = settling()) await Promise.all(waiting);
  }

  /** Rejects what waits and whatever comes; what is on its way to the disk settles as it does. */
  close(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = asSluiceError(error, 'SOURCE_FAILED', 'emitting');
    this.#stop.abort(error);
    for (const lane of this.#lanes.all) for (const flight of lane.takeWaiting()) this.#settleRejected(flight, error);
    for (const { records, reject } of this.#held.splice(0)) {
      this.#inFlight -= records?.count ?? 0;
      records?.release();
      reject(error);
    }
  }

  #createLanes(): EmitLanes {
    const { target, partitionsFailApart, commitsLinesApart } = this.#options;
    const create = (): EmitLane => this.#createLane();
    if (commitsLinesApart) return new LineLanes(create);
    // With a key every flight goes to all partitions.
    return partitionsFailApart && target.keyOf === null ? new PartitionLanes(create) : new OneLane(create());
  }

  #createLane(): EmitLane {
    const { target, commit, partitionsFailApart } = this.#options;
    return new EmitLane({
      target,
      commit,
      maxCommits: partitionsFailApart ? MAX_COMMITS : 1,
      signal: this.#stop.signal,
      savesPositions: () => !this.#hasGap,
      onCommitted: (flight, request) => {
        this.#settleCommitted(flight, request);
        this.#letGo();
      },
      onRejected: (flight, error) => {
        this.#hasGap = true;
        this.#settleRejected(flight, error);
        this.#reject(error);
        this.#letGo();
      },
    });
  }

  #enqueue(
    records: RecordBatchBuilder | SealedRecords | null,
    options: Pick<NewEmit, 'positions' | 'rejected'> & Pick<EmitOptions, 'stream' | 'dedupeIds'>,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const { keyOf, partitioner } = this.#options.target;
      const { stream, positions, rejected, dedupeIds = [] } = options;
      const partition = keyOf === null ? partitioner.partitionFor(stream, records?.byteLength ?? 0) : 0;
      const lines = positions.length > 0 ? positions.map(([name]) => name) : [stream ?? ''];
      this.#inFlight += records?.count ?? 0;
      this.#held.push({ records, partition, lines, positions, rejected, dedupeIds, resolve, reject });
      // Behind one that is held everything is: it was emitted later.
      if (this.#held.length === 1) this.#letGo();
    });
  }

  #letGo(): void {
    for (let [emit] = this.#held; emit !== undefined; [emit] = this.#held) {
      const lane = this.#lanes.enter(emit);
      if (lane === null) return;
      this.#held.shift();
      lane.add(emit);
    }
  }

  #settleCommitted(flight: EmitFlight, { records, deadLetters }: FlightRequest): void {
    crashPoint('before-client-acknowledged');
    flight.release();
    let bytes = 0;
    const dedupeIds: string[] = [];
    for (const emit of flight.emits) {
      this.#lanes.leave(emit);
      this.#inFlight -= emit.count;
      bytes += emit.bytes;
      dedupeIds.push(...emit.dedupeIds);
    }
    this.#options.onCommitted({ records, bytes, deadLetters, dedupeIds });
    for (const emit of flight.emits) emit.resolve();
    crashPoint('after-client-acknowledged');
  }

  #settleRejected(flight: EmitFlight, error: unknown): void {
    flight.release();
    for (const emit of flight.emits) {
      this.#lanes.leave(emit);
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
    records?.release();
    return Promise.reject(error);
  }
}
