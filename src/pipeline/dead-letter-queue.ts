import type { Clock, SluiceError } from '../api/index.ts';
import type { CommitRequest } from '../log/index.ts';
import type { BufferPool, Compression } from '../record/index.ts';
import { createDeadLetter, type DeadLetterOrigin, type DeadLetterTarget, type Stage } from './dead-letter.ts';
import { RegionPlan } from './regions.ts';
import type { WriteBatch } from './write-batch.ts';

/** So many dead letters share a commit at most; their headers are larger than most records. */
export const MAX_LETTERS = 256;
/** From so many batches on no further ones should come: the causes are larger than small records, and no buffer's budget counts them. At least two, since the end of a commit is told before its batch leaves. */
const MAX_WAITING = 4;

/** Records that were refused for good: all of `batch`, each with its cause. The queue owns the batch. */
export interface Refused {
  readonly batch: WriteBatch;
  readonly errors: readonly SluiceError[];
  readonly stage: Stage;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface DeadLetterQueueOptions {
  readonly target: DeadLetterTarget;
  readonly origin: DeadLetterOrigin;
  readonly compression: Compression;
  readonly pool: BufferPool;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly commit: (request: CommitRequest) => Promise<void>;
  readonly onDurable: (refused: Refused, finished: number) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Writes dead letters one commit at a time; a record is finished only when its dead letter is durable. */
export class DeadLetterQueue {
  readonly #options: DeadLetterQueueOptions;
  readonly #waiting: Refused[] = [];
  /** Of the first that waits: so many records are durable. */
  #done = 0;
  #isWriting = false;
  #hasFailed = false;

  constructor(options: DeadLetterQueueOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get isFull(): boolean {
    return this.#waiting.length >= MAX_WAITING;
  }

  add(refused: Refused): void {
    this.#waiting.push(refused);
    if (!this.#hasFailed) this.#start();
  }

  /** Tries again what failed. */
  retry(): void {
    this.#hasFailed = false;
    this.#start();
  }

  /** Gives up what is not being written. */
  close(): void {
    for (const { batch } of this.#waiting.splice(this.#isWriting ? 1 : 0)) batch.release();
  }

  #start(): void {
    if (!this.#isWriting && !this.isEmpty) void this.#write();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      while (!this.isEmpty) await this.#writeSome(this.#waiting[0]!);
    } catch (error) {
      this.#hasFailed = true;
      this.#options.onFailed(error);
    } finally {
      this.#isWriting = false;
      if (this.#options.signal.aborted) this.close();
    }
  }

  async #writeSome(refused: Refused): Promise<void> {
    const first = this.#done;
    const end = Math.min(refused.batch.count, first + MAX_LETTERS);
    await this.#commit(refused, first, end);
    this.#done = end;
    const finished = refused.batch.finish(first, end, 'dead_lettered');
    this.#options.onDurable(refused, finished);
    if (end < refused.batch.count) return;
    this.#waiting.shift();
    this.#done = 0;
    refused.batch.release();
  }

  async #commit({ batch, errors, stage, at }: Refused, first: number, end: number): Promise<void> {
    const { target, origin, compression, pool, signal, commit } = this.#options;
    const plan = new RegionPlan();
    const letters = [];
    for (let index = first; index < end; index++) {
      const { view } = batch;
      const record = {
        key: view.key(index),
        value: view.value(index),
        timestamp: view.timestamp(index),
        headers: view.headers(index),
      };
      const { partition } = batch.feedOf(index);
      const letter = createDeadLetter(
        record,
        { stage, error: errors[index]!, attempts: batch.attempts, firstAt: batch.firstAt, lastAt: at },
        {
          origin,
          place: { partition, offset: view.offset(index) },
          partition: partition.partition % target.partitions,
          maxBatchBytes: target.maxBatchBytes,
        },
      );
      letters.push({ letter, region: plan.reserve(target, letter.partition, letter.byteLength) });
    }
    const regionCount = plan.close();
    const regions = await plan.open(pool, signal);
    try {
      for (const { letter, region } of letters) {
        regions.builder(region).append(letter.value, letter.key, letter.timestamp, letter.headers);
      }
      await commit({ batches: regions.seal(0, regionCount, compression) });
    } finally {
      regions.release();
    }
  }
}
