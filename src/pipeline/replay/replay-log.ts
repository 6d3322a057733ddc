import { SluiceError, type Position, type TopicPartition } from '../../api/index.ts';
import type {
  CommitRequest,
  SubscribeOptions,
  SubscriptionEvent,
  TopicDescription,
  TopicLog,
  TopicSubscription,
} from '../../log/index.ts';
import { Notice } from '../notice.ts';
import type { PlacedRecord } from './replay-record.ts';
import { planChunks, storeChunk, type ChunkPlan } from './stored-chunk.ts';

/** The topic log of a sink whose dead letters are replayed: what it reads are those, what it writes goes into the log behind it. */
export class ReplayLog implements TopicLog {
  readonly accepting = true;
  readonly partitionsFailApart = false;
  readonly #log: TopicLog;
  #subscription: ReplaySubscription | null = null;

  constructor(log: TopicLog) {
    this.#log = log;
  }

  /** Null before the sink has subscribed, and after it has let go. */
  get subscription(): ReplaySubscription | null {
    return this.#subscription;
  }

  describe(topic: string): TopicDescription {
    return this.#log.describe(topic);
  }

  commit(request: CommitRequest): Promise<void> {
    return this.#log.commit(request);
  }

  positions(): Promise<ReadonlyMap<string, Position>> {
    return Promise.resolve(new Map<string, Position>());
  }

  dedupeIds(): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(new Map<string, number>());
  }

  subscribe(options: SubscribeOptions): Promise<TopicSubscription> {
    this.#subscription = new ReplaySubscription(options, () => {
      this.#subscription = null;
    });
    return Promise.resolve(this.#subscription);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A partition that is being replayed. */
interface Part {
  readonly partition: TopicPartition;
  readonly chunks: ChunkPlan[];
  readonly end: number;
  isPaused: boolean;
}

/** Gives the sink one window of records after the other, each with its partitions assigned and revoked again: a later window may go back in offsets. */
export class ReplaySubscription implements TopicSubscription {
  readonly #options: SubscribeOptions;
  readonly #onClosed: () => void;
  readonly #notice = new Notice();
  readonly #events: SubscriptionEvent[] = [];
  readonly #parts = new Map<number, Part>();
  readonly #over = new AbortController();

  constructor(options: SubscribeOptions, onClosed: () => void) {
    this.#options = options;
    this.#onClosed = onClosed;
  }

  /** Of one topic and incarnation. Returns the ends to reach, by partition. */
  offer(records: readonly PlacedRecord[]): readonly number[] {
    const ends: (number | undefined)[] = [];
    const byPartition = Map.groupBy(records, ({ place }) => place.partition);
    for (const [number, own] of byPartition) {
      const sorted = own.toSorted((one, other) => one.place.offset - other.place.offset);
      const { topic, partition, incarnation } = sorted[0]!.place;
      const chunks = planChunks({ topic, partition, incarnation }, sorted);
      const end = chunks.at(-1)!.next;
      this.#parts.set(number, { partition: { topic, partition, incarnation }, chunks, end, isPaused: true });
      ends[number] = end;
    }
    const partitions = [...this.#parts.values()].map(({ partition, chunks }) => {
      return { ...partition, committed: chunks[0]!.from, reset: 0 };
    });
    this.#tell({ type: 'assigned', partitions });
    return Array.from(ends, (end) => end ?? 0);
  }

  /** Resolves when the sink has let go of all that was offered. */
  withdraw(): Promise<void> {
    const partitions = [...this.#parts.values()].map(({ partition }) => partition);
    this.#parts.clear();
    return new Promise((resolve) => {
      this.#tell({ type: 'revoked', partitions, done: resolve });
    });
  }

  async next(signal: AbortSignal): Promise<SubscriptionEvent | null> {
    const either = AbortSignal.any([signal, this.#over.signal]);
    for (;;) {
      try {
        await this.#notice.until(() => this.#events.length > 0 || this.#ready() !== undefined, either);
      } catch {
        return null;
      }
      const event = this.#events.shift();
      if (event !== undefined) return event;
      const part = this.#ready()!;
      const plan = part.chunks.shift()!;
      try {
        return { type: 'chunk', chunk: await storeChunk(plan, this.#options.pool, either) };
      } catch (error) {
        if (either.aborted) return null;
        throw error;
      }
    }
  }

  /** A sink whose target knows what it has begins further on. */
  seek(partition: number, offset: number): void {
    const part = this.#parts.get(partition);
    if (part === undefined) return;
    const left = part.chunks.flatMap(({ records }) => records.filter(({ place }) => place.offset >= offset));
    part.chunks.splice(0, Infinity, ...planChunks(part.partition, left));
    part.isPaused = false;
    this.#notice.notify();
  }

  pause(partition: number): void {
    const part = this.#parts.get(partition);
    if (part !== undefined) part.isPaused = true;
  }

  resume(partition: number): void {
    const part = this.#parts.get(partition);
    if (part === undefined) return;
    part.isPaused = false;
    this.#notice.notify();
  }

  /** How far the replay is, is not for the sink to say. */
  commit(): Promise<void> {
    return Promise.resolve();
  }

  end(partition: number): number {
    return this.#parts.get(partition)?.end ?? 0;
  }

  ends(): Promise<readonly number[]> {
    return Promise.reject(new SluiceError('LOG_CLOSED', 'asking a replay for ends: it has none'));
  }

  close(): Promise<void> {
    this.#over.abort();
    this.#onClosed();
    return Promise.resolve();
  }

  #ready(): Part | undefined {
    return [...this.#parts.values()].find(({ isPaused, chunks }) => !isPaused && chunks.length > 0);
  }

  #tell(event: SubscriptionEvent): void {
    this.#events.push(event);
    this.#notice.notify();
  }
}
