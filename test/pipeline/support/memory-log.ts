import { setImmediate as nextTurn } from 'node:timers/promises';
import { SluiceError, type Position } from '../../../src/api/index.ts';
import type {
  CommitRequest,
  FetchedChunk,
  SubscribeOptions,
  SubscriptionEvent,
  TopicLog,
  TopicSubscription,
} from '../../../src/log/topic-log.ts';
import { RecordView, setBaseOffset } from '../../../src/record/index.ts';

interface StoredBatch {
  readonly base: number;
  readonly count: number;
  readonly bytes: Buffer;
}

export interface StoredRecord {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string | null>>;
}

export interface MemoryLogOptions {
  readonly topics: Readonly<Record<string, number>>;
  /** Commits that share no partition, neither of a topic nor of positions, end as they come. Default false. */
  readonly partitionsFailApart?: boolean;
  /** Called at the begin of each commit; what it throws rejects that commit. It may wait. */
  onCommit?: (request: CommitRequest) => void | Promise<void>;
  /** Called before the offsets of a sink are saved. */
  onOffset?: (partition: number, next: number) => void;
}

/** A topic log in memory: real record batches, commits that are all or nothing. It survives the pipelines that use it. */
export class MemoryLog implements TopicLog {
  accepting = true;
  readonly partitionsFailApart: boolean;
  commits = 0;
  readonly savedPositions = new Map<string, Map<string, Position>>();
  readonly savedIds = new Map<string, Map<string, number>>();
  readonly savedOffsets = new Map<string, Map<number, number>>();
  readonly subscriptions: MemorySubscription[] = [];
  readonly #topics = new Map<string, StoredBatch[][]>();
  readonly #options: MemoryLogOptions;
  /** By what commits have in common: in front of whom the next one waits. */
  readonly #tails = new Map<string, Promise<void>>();

  constructor(options: MemoryLogOptions) {
    this.#options = options;
    this.partitionsFailApart = options.partitionsFailApart ?? false;
    for (const [topic, partitions] of Object.entries(options.topics)) {
      this.#topics.set(
        topic,
        Array.from({ length: partitions }, () => []),
      );
    }
  }

  describe(topic: string): { name: string; incarnation: string; partitions: number; maxBatchBytes: number } {
    return {
      name: topic,
      incarnation: 'AAAAAAAA',
      partitions: this.#partitions(topic).length,
      maxBatchBytes: Infinity,
    };
  }

  commit(request: CommitRequest): Promise<void> {
    const { batches = [], positions = [] } = request;
    const shared = this.partitionsFailApart
      ? [
          ...batches.map(({ topic, partition }) => `${topic}/${partition}`),
          ...positions.map(([source, partition]) => `${source} ${partition}`),
        ]
      : ['all'];
    const before = shared.flatMap((name) => this.#tails.get(name) ?? []);
    const committed = Promise.all(before).then(() => this.#apply(request));
    const tail = committed.catch(() => undefined);
    for (const name of shared) this.#tails.set(name, tail);
    return committed;
  }

  async positions(source: string): Promise<ReadonlyMap<string, Position>> {
    await nextTurn();
    return new Map(this.savedPositions.get(source));
  }

  async dedupeIds(source: string): Promise<ReadonlyMap<string, number>> {
    await nextTurn();
    return new Map(this.savedIds.get(source));
  }

  async subscribe(options: SubscribeOptions): Promise<TopicSubscription> {
    await nextTurn();
    const subscription = new MemorySubscription(this, options);
    this.subscriptions.push(subscription);
    return subscription;
  }

  async close(): Promise<void> {
    await Promise.all(this.#tails.values());
  }

  end(topic: string, partition: number): number {
    const last = this.#partitions(topic)[partition]!.at(-1);
    return last === undefined ? 0 : last.base + last.count;
  }

  batches(topic: string, partition: number): readonly StoredBatch[] {
    return this.#partitions(topic)[partition]!;
  }

  /** Everything in a partition, decoded. */
  read(topic: string, partition: number): StoredRecord[] {
    const view = new RecordView({ decode: (bytes) => bytes });
    for (const { bytes } of this.batches(topic, partition)) {
      view.addStored({ topic, partition, incarnation: 'AAAAAAAA' }, bytes, 0);
    }
    return Array.from({ length: view.count }, (_, index) => ({
      offset: view.offset(index),
      key: text(view.key(index)),
      value: text(view.value(index)),
      timestamp: view.timestamp(index),
      headers: Object.fromEntries([...view.headers(index)].map(([name, value]) => [name, text(value)])),
    }));
  }

  readAll(topic: string): StoredRecord[] {
    return this.#partitions(topic).flatMap((_, partition) => this.read(topic, partition));
  }

  checkOffset(partition: number, next: number): void {
    this.#options.onOffset?.(partition, next);
  }

  async #apply(request: CommitRequest): Promise<void> {
    this.commits++;
    await nextTurn();
    await this.#options.onCommit?.(request);
    for (const { topic, partition, bytes, count } of request.batches ?? []) {
      const stored = Buffer.from(bytes);
      const base = this.end(topic, partition);
      setBaseOffset(stored, 0, base);
      this.#partitions(topic)[partition]!.push({ base, count, bytes: stored });
    }
    for (const [source, partition, position] of request.positions ?? []) {
      const positions = child(this.savedPositions, source);
      if (position === null) positions.delete(partition);
      else positions.set(partition, position);
    }
    for (const { source, id, atMs } of request.dedupe ?? []) child(this.savedIds, source).set(id, atMs);
    for (const subscription of this.subscriptions) subscription.wake();
  }

  #partitions(topic: string): StoredBatch[][] {
    const found = this.#topics.get(topic);
    if (found === undefined) throw new SluiceError('TOPIC_UNKNOWN', `describing "${topic}"`);
    return found;
  }
}

export class MemorySubscription implements TopicSubscription {
  readonly #log: MemoryLog;
  readonly #options: SubscribeOptions;
  readonly #next = new Map<number, number>();
  readonly #paused = new Set<number>();
  readonly #events: SubscriptionEvent[] = [];
  #wake: (() => void) | null = null;
  #turn = 0;
  #isClosed = false;
  /** What the next commit of offsets rejects with. */
  commitFailure: Error | null = null;

  constructor(log: MemoryLog, options: SubscribeOptions) {
    this.#log = log;
    this.#options = options;
    this.assign(Array.from({ length: log.describe(options.topic).partitions }, (_, partition) => partition));
  }

  assign(partitions: readonly number[]): void {
    const { sink, topic, start } = this.#options;
    const saved = child(this.#log.savedOffsets, sink);
    this.#events.push({
      type: 'assigned',
      partitions: partitions.map((partition) => {
        if (!saved.has(partition)) saved.set(partition, start === 'earliest' ? 0 : this.#log.end(topic, partition));
        return { topic, partition, incarnation: 'AAAAAAAA', committed: saved.get(partition)!, reset: 0 };
      }),
    });
    this.wake();
  }

  /** Resolves when the reader has let go of them. */
  revoke(partitions: readonly number[]): Promise<void> {
    const { topic } = this.#options;
    return new Promise((resolve) => {
      for (const partition of partitions) this.#next.delete(partition);
      this.#events.push({
        type: 'revoked',
        partitions: partitions.map((partition) => ({ topic, partition, incarnation: 'AAAAAAAA' })),
        done: resolve,
      });
      this.wake();
    });
  }

  async next(signal: AbortSignal): Promise<SubscriptionEvent | null> {
    await nextTurn();
    for (;;) {
      if (signal.aborted || this.#isClosed) return null;
      const event = this.#events.shift();
      if (event !== undefined) return event;
      const chunk = this.#fetch();
      if (chunk !== null) return { type: 'chunk', chunk };
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 5);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  wake(): void {
    this.#wake?.();
  }

  seek(partition: number, offset: number): void {
    this.#next.set(partition, offset);
    this.#paused.delete(partition);
    this.wake();
  }

  pause(partition: number): void {
    this.#paused.add(partition);
  }

  resume(partition: number): void {
    this.#paused.delete(partition);
    this.wake();
  }

  async commit(offsets: readonly { readonly partition: number; readonly next: number }[]): Promise<void> {
    await nextTurn();
    if (this.commitFailure !== null) throw this.commitFailure;
    for (const { partition, next } of offsets) {
      this.#log.checkOffset(partition, next);
      child(this.#log.savedOffsets, this.#options.sink).set(partition, next);
    }
  }

  end(partition: number): number {
    return this.#log.end(this.#options.topic, partition);
  }

  async ends(): Promise<readonly number[]> {
    await nextTurn();
    const { partitions } = this.#log.describe(this.#options.topic);
    return Array.from({ length: partitions }, (_, partition) => this.end(partition));
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.wake();
    return Promise.resolve();
  }

  #fetch(): FetchedChunk | null {
    const { topic, pool, fetchBytes } = this.#options;
    const partitions = [...this.#next.keys()];
    for (let step = 0; step < partitions.length; step++) {
      const partition = partitions[(this.#turn + step) % partitions.length]!;
      const from = this.#next.get(partition)!;
      const wanted = this.#log.batches(topic, partition).filter(({ base, count }) => base + count > from);
      if (wanted.length === 0 || this.#paused.has(partition)) continue;
      let taken = 1;
      let bytes = wanted[0]!.bytes.length;
      while (taken < wanted.length && bytes + wanted[taken]!.bytes.length <= fetchBytes) {
        bytes += wanted[taken++]!.bytes.length;
      }
      const buffer = pool.tryAcquire(bytes);
      if (buffer === null) return null;
      this.#turn += step + 1;
      let at = 0;
      for (const batch of wanted.slice(0, taken)) at += batch.bytes.copy(buffer.bytes, at);
      const last = wanted[taken - 1]!;
      const next = last.base + last.count;
      this.#next.set(partition, next);
      const release = (): void => {
        // Whoever reads on after this sees nonsense.
        buffer.bytes.fill(0xee, 0, bytes);
        buffer.release();
        this.wake();
      };
      const chunkPartition = { topic, partition, incarnation: 'AAAAAAAA' };
      return { partition: chunkPartition, bytes: buffer.bytes.subarray(0, bytes), from, next, release };
    }
    return null;
  }
}

function child<Key, Value>(map: Map<string, Map<Key, Value>>, name: string): Map<Key, Value> {
  let inner = map.get(name);
  if (inner === undefined) map.set(name, (inner = new Map<Key, Value>()));
  return inner;
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}
