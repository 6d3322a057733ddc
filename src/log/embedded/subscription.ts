import { SluiceError, type TopicPartition } from '../../api/index.ts';
import type { BufferPool, PooledBuffer } from '../../record/index.ts';
import type { FetchedChunk, SubscriptionEvent, TopicSubscription } from '../topic-log.ts';
import { corruption, logError } from './log-errors.ts';
import type { Marks } from './marks.ts';
import type { PartitionReader, ReadResult } from './partition-reader.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { TopicWatch } from './topic-watch.ts';

export interface EmbeddedSubscriptionOptions {
  readonly topic: string;
  readonly incarnation: string;
  /** Of the topic's first partition among the marks. */
  readonly slot: number;
  readonly committed: readonly number[];
  readonly reset: number;
  readonly readers: readonly PartitionReader[];
  readonly files: SegmentFiles;
  readonly pool: BufferPool;
  readonly fetchBytes: number;
  readonly marks: Marks;
  readonly watch: TopicWatch;
  readonly commit: (offsets: readonly { readonly partition: number; readonly next: number }[]) => Promise<void>;
  readonly onClosed: (subscription: EmbeddedSubscription) => void;
}

interface PartitionState {
  readonly partition: TopicPartition;
  readonly reader: PartitionReader;
  /** -1 before the first seek. */
  next: number;
  isPaused: boolean;
  /** Tells a read that was under way during a seek that it is out of date. */
  seeks: number;
}

/** One sink's view of a topic: all partitions, from the beginning to the end of the run. */
export class EmbeddedSubscription implements TopicSubscription {
  readonly #options: EmbeddedSubscriptionOptions;
  readonly #partitions: readonly PartitionState[];
  readonly #unlisten: () => void;
  readonly #over = new AbortController();
  #isAssigned = false;
  #turn = 0;
  #wake: (() => void) | null = null;
  /** Something happened since it was last looked for work. */
  #isAwake = true;
  #reading: Promise<unknown> = Promise.resolve();

  constructor(options: EmbeddedSubscriptionOptions) {
    this.#options = options;
    const { topic, incarnation, readers } = options;
    this.#partitions = readers.map((reader, partition) => ({
      partition: { topic, partition, incarnation },
      reader,
      next: -1,
      isPaused: true,
      seeks: 0,
    }));
    this.#unlisten = options.watch.listen(() => {
      this.#rouse();
    });
  }

  async next(signal: AbortSignal): Promise<SubscriptionEvent | null> {
    const onAbort = (): void => {
      this.#rouse();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#nextEvent(signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  seek(partition: number, offset: number): void {
    const state = this.#partitions[partition]!;
    state.next = offset;
    state.seeks++;
    state.isPaused = false;
    this.#rouse();
  }

  pause(partition: number): void {
    this.#partitions[partition]!.isPaused = true;
  }

  resume(partition: number): void {
    const state = this.#partitions[partition]!;
    if (state.next < 0) return;
    state.isPaused = false;
    this.#rouse();
  }

  commit(offsets: readonly { readonly partition: number; readonly next: number }[]): Promise<void> {
    if (this.#over.signal.aborted) return Promise.reject(closedError('saving offsets'));
    return this.#options.commit(offsets);
  }

  end(partition: number): number {
    return this.#options.marks.end(this.#options.slot + partition);
  }

  ends(): Promise<readonly number[]> {
    return Promise.resolve(this.#partitions.map((_, partition) => this.end(partition)));
  }

  close(): Promise<void> {
    return this.#end(null);
  }

  /** The log is closed: who waits is told. */
  abort(): Promise<void> {
    return this.#end(closedError('reading'));
  }

  async #end(reason: SluiceError | null): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#over.abort(reason ?? 'closed');
    this.#unlisten();
    this.#rouse();
    await this.#reading;
    await this.#options.files.closeAll();
    this.#options.onClosed(this);
  }

  async #nextEvent(signal: AbortSignal): Promise<SubscriptionEvent | null> {
    for (;;) {
      if (this.#over.signal.reason instanceof SluiceError) throw this.#over.signal.reason;
      if (signal.aborted || this.#over.signal.aborted) return null;
      if (!this.#isAssigned) return this.#assign();
      this.#isAwake = false;
      const state = this.#nextReadable();
      if (state === null) {
        await this.#idle();
        continue;
      }
      const chunk = await this.#fetch(state, signal);
      if (chunk !== null) return { type: 'chunk', chunk };
    }
  }

  #assign(): SubscriptionEvent {
    this.#isAssigned = true;
    const { committed, reset } = this.#options;
    const partitions = this.#partitions.map(({ partition }, index) => ({
      ...partition,
      committed: committed[index]!,
      reset,
    }));
    return { type: 'assigned', partitions };
  }

  /** The first with something to read behind the one that was served last. */
  #nextReadable(): PartitionState | null {
    const count = this.#partitions.length;
    for (let step = 0; step < count; step++) {
      const index = (this.#turn + step) % count;
      const state = this.#partitions[index]!;
      if (!this.#isReadable(state)) continue;
      this.#turn = (index + 1) % count;
      return state;
    }
    return null;
  }

  #isReadable({ partition, next, isPaused }: PartitionState): boolean {
    return !isPaused && next >= 0 && next < this.end(partition.partition);
  }

  #idle(): Promise<void> {
    if (this.#isAwake) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #rouse(): void {
    this.#isAwake = true;
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  /** Null when there is nothing to deliver after all. */
  async #fetch(state: PartitionState, signal: AbortSignal): Promise<FetchedChunk | null> {
    let bytes = this.#wantedBytes(state);
    for (;;) {
      const buffer = await this.#acquire(bytes, signal);
      if (buffer === null) return null;
      const { seeks } = state;
      if (!this.#isReadable(state)) {
        buffer.release();
        return null;
      }
      const target = buffer.bytes.subarray(0, Math.max(bytes, Math.min(buffer.bytes.length, this.#options.fetchBytes)));
      const result = await this.#read(state, target, buffer);
      const isStale = state.seeks !== seeks || state.isPaused || this.#over.signal.aborted;
      if (!isStale && 'length' in result && result.length > 0) return this.#deliver(state, result, buffer);
      if (!isStale && 'length' in result) state.next = result.next;
      buffer.release();
      if (isStale || 'length' in result) return null;
      bytes = result.neededBytes;
    }
  }

  async #read(state: PartitionState, target: Buffer, buffer: PooledBuffer): Promise<ReadResult> {
    const { topic, partition } = state.partition;
    const reading = state.reader.read(state.next, this.end(partition), target);
    this.#reading = reading.catch(() => undefined);
    try {
      const result = await reading;
      if ('neededBytes' in result && result.neededBytes <= target.length)
        throw corruption(`${topic}-${partition}`, `the batch with offset ${state.next} is cut off`);
      return result;
    } catch (error) {
      buffer.release();
      throw logError(error, `reading topic "${topic}"`);
    }
  }

  #deliver(
    state: PartitionState,
    { from, next, length }: { readonly from: number; readonly next: number; readonly length: number },
    buffer: PooledBuffer,
  ): FetchedChunk {
    state.next = next;
    return {
      partition: state.partition,
      bytes: buffer.bytes.subarray(0, length),
      from,
      next,
      release: () => {
        buffer.release();
      },
    };
  }

  /** A small loan is enough for the little that is there: what the newest file holds beyond the reader's place is known. */
  #wantedBytes({ reader, partition }: PartitionState): number {
    const { marks, slot, fetchBytes } = this.#options;
    const { place } = reader;
    const bytes = place === null ? null : marks.bytesOf(slot + partition.partition, place.base);
    if (bytes === null || place === null || bytes <= place.position) return fetchBytes;
    return Math.min(fetchBytes, bytes - place.position);
  }

  /** Waits its turn while the budget is spent: no free buffer, no fetch. Null when whoever waits has to go. */
  async #acquire(bytes: number, signal: AbortSignal): Promise<PooledBuffer | null> {
    const { pool } = this.#options;
    const free = pool.tryAcquire(bytes);
    if (free !== null) return free;
    const either = AbortSignal.any([signal, this.#over.signal]);
    try {
      return await pool.acquire(bytes, either);
    } catch (error) {
      if (either.aborted) return null;
      throw error;
    }
  }
}

function closedError(action: string): SluiceError {
  return new SluiceError('LOG_CLOSED', `${action}: the log is closed`);
}
