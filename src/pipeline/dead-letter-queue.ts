import type { Clock, SluiceError, TopicPartition } from '../api/index.ts';
import type { CommitRequest } from '../log/index.ts';
import type { BufferPool, Compression } from '../record/index.ts';
import { crashPoint } from '../telemetry/index.ts';
import {
  createDeadLetter,
  type DeadLetter,
  type DeadLetterOrigin,
  type DeadLetterTarget,
  type Stage,
  type TopicPlace,
} from './dead-letter.ts';
import { RegionPlan } from './regions.ts';
import type { WriteBatch } from './write-batch.ts';

/** So many dead letters share a commit at most; their headers are larger than most records. */
export const MAX_LETTERS = 256;
/** From so many on no further ones should come: the causes are larger than small records, and no buffer's budget counts them. */
const MAX_WAITING = 4 * MAX_LETTERS;

/** Records that were refused for good: all of `batch`, each with its cause. The queue owns the batch. */
export interface Refused {
  readonly batch: WriteBatch;
  readonly errors: readonly SluiceError[];
  readonly stage: Stage;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Where a record stood before it was read from where it is now: what is replayed. */
export type PlaceOf = (partition: TopicPartition, offset: number) => TopicPlace;

export interface DeadLetterQueueOptions {
  readonly target: DeadLetterTarget;
  readonly origin: DeadLetterOrigin;
  readonly placeOf?: PlaceOf | undefined;
  readonly compression: Compression;
  readonly pool: BufferPool;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly commit: (request: CommitRequest) => Promise<void>;
  readonly onDurable: (refused: Refused, finished: number) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Records [first, end) of a batch, which share a commit with others. */
interface Piece {
  readonly refused: Refused;
  readonly first: number;
  readonly end: number;
}

/** Writes dead letters, those of all batches that wait in one commit; a record is finished only when its dead letter is durable. */
export class DeadLetterQueue {
  readonly #options: DeadLetterQueueOptions;
  readonly #waiting: Refused[] = [];
  /** Letters that wait. */
  #count = 0;
  /** Of the first that waits: so many records are durable. */
  #done = 0;
  /** So many of the first are in the commit that is under way. */
  #writing = 0;
  #isWriting = false;
  #hasFailed = false;

  constructor(options: DeadLetterQueueOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get isFull(): boolean {
    return this.#count >= MAX_WAITING;
  }

  add(refused: Refused): void {
    this.#waiting.push(refused);
    this.#count += refused.batch.count;
    if (!this.#hasFailed) this.#start();
  }

  /** Tries again what failed. */
  retry(): void {
    this.#hasFailed = false;
    this.#start();
  }

  /** Gives up what is not being written. */
  close(): void {
    for (const { batch } of this.#waiting.splice(this.#writing)) batch.release();
  }

  #start(): void {
    if (!this.#isWriting && !this.isEmpty) void this.#write();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      while (!this.isEmpty) await this.#writeSome();
    } catch (error) {
      this.#hasFailed = true;
      this.#options.onFailed(error);
    } finally {
      this.#writing = 0;
      this.#isWriting = false;
      if (this.#options.signal.aborted) this.close();
    }
  }

  async #writeSome(): Promise<void> {
    const pieces = this.#gather();
    this.#writing = pieces.length;
    await this.#commit(pieces);
    for (const { refused, first, end } of pieces) {
      const { batch } = refused;
      const finished = batch.finish(first, end, 'dead_lettered');
      this.#count -= end - first;
      this.#done = end;
      this.#writing--;
      const isWhole = end === batch.count;
      // Before it is told: whoever is told asks whether there is room again.
      if (isWhole) {
        this.#waiting.shift();
        this.#done = 0;
      }
      this.#options.onDurable(refused, finished);
      if (isWhole) batch.release();
    }
  }

  #gather(): Piece[] {
    const pieces: Piece[] = [];
    let [first, room] = [this.#done, MAX_LETTERS];
    for (const refused of this.#waiting) {
      const end = Math.min(refused.batch.count, first + room);
      pieces.push({ refused, first, end });
      room -= end - first;
      if (room === 0) break;
      first = 0;
    }
    return pieces;
  }

  async #commit(pieces: readonly Piece[]): Promise<void> {
    const { target, compression, pool, signal, commit } = this.#options;
    const plan = new RegionPlan();
    const letters = pieces.flatMap(({ refused, first, end }) =>
      Array.from({ length: end - first }, (_, at) => {
        const letter = this.#letterOf(refused, first + at);
        return { letter, region: plan.reserve(target, letter.partition, letter.byteLength) };
      }),
    );
    const regionCount = plan.close();
    const regions = await plan.open(pool, signal);
    try {
      for (const { letter, region } of letters) {
        regions.builder(region).append(letter.value, letter.key, letter.timestamp, letter.headers);
      }
      const committed = commit({ batches: regions.seal(0, regionCount, compression) });
      crashPoint('dead-letter-sent');
      await committed;
      crashPoint('dead-letter-acknowledged');
    } finally {
      regions.release();
    }
  }

  #letterOf({ batch, errors, stage, at }: Refused, index: number): DeadLetter {
    const { target, origin, placeOf } = this.#options;
    const { view } = batch;
    const record = {
      key: view.key(index),
      value: view.value(index),
      timestamp: view.timestamp(index),
      headers: view.headers(index),
    };
    const read = { partition: batch.feedOf(index).partition, offset: view.offset(index) };
    const place = placeOf?.(read.partition, read.offset) ?? read;
    return createDeadLetter(
      record,
      { stage, error: errors[index]!, attempts: batch.attempts, firstAt: batch.firstAt, lastAt: at },
      {
        origin,
        place,
        partition: place.partition.partition % target.partitions,
        maxBatchBytes: target.maxBatchBytes,
      },
    );
  }
}
