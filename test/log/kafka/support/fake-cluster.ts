import { EventEmitter } from 'node:events';
import { SluiceError } from '../../../../src/api/index.ts';
import type { KafkaEvent } from '../../../../src/kafka/index.ts';
import { readBatchHeader, setBaseOffset } from '../../../../src/record/index.ts';

type TransactionState = 'open' | 'committed' | 'aborted';

export interface FakeTransaction {
  state: TransactionState;
}

interface StoredBatch {
  readonly base: number;
  readonly next: number;
  readonly bytes: Buffer;
  readonly transaction: FakeTransaction | null;
}

export class FakePartition {
  earliest = 0;
  end = 0;
  batches: StoredBatch[] = [];

  append(bytes: Buffer, transaction: FakeTransaction | null): number {
    const base = this.end;
    const stored = Buffer.from(bytes);
    setBaseOffset(stored, 0, base);
    this.end = base + readBatchHeader(stored, 0).lastOffsetDelta + 1;
    this.batches.push({ base, next: this.end, bytes: stored, transaction });
    return base;
  }

  /** The last stable offset. */
  get stable(): number {
    return this.batches.find(({ transaction }) => transaction?.state === 'open')?.base ?? this.end;
  }
}

export interface FakeTopic {
  incarnation: string;
  readonly config: Map<string, string>;
  readonly partitions: FakePartition[];
}

/** A broker's memory, and what a test makes of it. Changes are announced as `change`. */
export class FakeCluster extends EventEmitter {
  readonly topics = new Map<string, FakeTopic>();
  readonly groups = new Map<string, Map<string, number>>();
  /** Of transactional ids. */
  readonly epochs = new Map<string, number>();
  /** The open ones, by transactional id: whoever takes the id over aborts them. */
  readonly transactions = new Map<string, FakeTransaction>();
  /** What is handed to the members of a group beside what they read. */
  readonly injected = new Map<string, KafkaEvent[]>();
  features = { transactions: true, topicIds: true, consumerProtocol: true, zstd: true };
  /** Nobody answers. */
  isDown = false;
  /** Throws what a broker would answer instead of doing it. */
  onSend: (topic: string, partition: number) => void = () => undefined;
  /** Holds what goes to a partition. */
  beforeSend: (topic: string, partition: number) => Promise<unknown> | undefined = () => undefined;
  onCommitTransaction: () => void = () => undefined;
  onCommitOffsets: (topic: string, partition: number) => void = () => undefined;
  #incarnations = 0;

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  create(name: string, partitions: number, config: Readonly<Record<string, string>> = {}): FakeTopic {
    const topic = {
      incarnation: `topic-${++this.#incarnations}`,
      config: new Map(Object.entries({ 'min.insync.replicas': '1', 'max.message.bytes': '1048588', ...config })),
      partitions: Array.from({ length: partitions }, () => new FakePartition()),
    };
    this.topics.set(name, topic);
    this.emit('change');
    return topic;
  }

  partition(topic: string, partition: number): FakePartition {
    const found = this.topics.get(topic)?.partitions[partition];
    if (found === undefined) throw new SluiceError('TOPIC_UNKNOWN', `topic "${topic}"`);
    return found;
  }

  inject(group: string, event: KafkaEvent): void {
    this.injected.set(group, [...(this.injected.get(group) ?? []), event]);
    this.emit('change');
  }

  offsetsOf(group: string): Map<string, number> {
    let offsets = this.groups.get(group);
    if (offsets === undefined) this.groups.set(group, (offsets = new Map<string, number>()));
    return offsets;
  }

  setDown(isDown: boolean): void {
    this.isDown = isDown;
    this.emit('change');
  }

  /** Resolves when the broker answers. */
  async answers(isOver: () => boolean): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.isDown && !isOver());
    if (isOver()) throw new SluiceError('KAFKA_CLOSED', 'waiting');
  }

  /** Resolves at the next change, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.off('change', done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.once('change', done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
