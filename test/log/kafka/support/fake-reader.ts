import { SluiceError } from '../../../../src/api/index.ts';
import type {
  KafkaEvent,
  KafkaMember,
  KafkaReader,
  MemberOptions,
  ReaderOptions,
} from '../../../../src/kafka/index.ts';
import type { FakeCluster } from './fake-cluster.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
  next: number;
  isPaused: boolean;
}

export class FakeReader implements KafkaReader {
  readonly waitingFor = null;
  protected readonly cluster: FakeCluster;
  protected readonly over = new AbortController();
  readonly #options: ReaderOptions;
  readonly #places = new Map<string, Place>();

  constructor(cluster: FakeCluster, options: ReaderOptions) {
    this.cluster = cluster;
    this.#options = options;
  }

  async next(signal: AbortSignal): Promise<KafkaEvent | null> {
    for (;;) {
      if (this.over.signal.aborted) throw new SluiceError('KAFKA_CLOSED', 'reading');
      if (signal.aborted) return null;
      const event = this.ready() ?? this.#fetch();
      if (event !== null) return event;
      await this.cluster.changed(AbortSignal.any([signal, this.over.signal]));
    }
  }

  seek(topic: string, partition: number, offset: number): void {
    this.#places.set(`${topic}/${partition}`, { topic, partition, next: offset, isPaused: false });
    this.cluster.emit('change');
  }

  pause(topic: string, partition: number): void {
    this.#places.get(`${topic}/${partition}`)!.isPaused = true;
  }

  resume(topic: string, partition: number): void {
    this.#places.get(`${topic}/${partition}`)!.isPaused = false;
    this.cluster.emit('change');
  }

  end(topic: string, partition: number): number {
    return this.cluster.topics.get(topic)?.partitions[partition]?.stable ?? 0;
  }

  close(): Promise<void> {
    this.over.abort();
    return Promise.resolve();
  }

  protected ready(): KafkaEvent | null {
    return null;
  }

  #fetch(): KafkaEvent | null {
    for (const place of this.#places.values()) {
      const event = place.isPaused || this.cluster.isDown ? null : this.#fetchFrom(place);
      if (event !== null) return event;
    }
    return null;
  }

  #fetchFrom(place: Place): KafkaEvent | null {
    const { topic, partition, next: from } = place;
    const found = this.cluster.topics.get(topic);
    const log = found?.partitions[partition];
    if (found === undefined || log === undefined) return null;
    const { incarnation } = found;
    if (from < log.earliest || from > log.end) {
      place.isPaused = true;
      const { earliest, end: latest } = log;
      return { type: 'out-of-range', partition: { topic, partition, incarnation }, offset: from, earliest, latest };
    }
    const end = this.#options.isolation === 'read_committed' ? log.stable : log.end;
    const batch = log.batches.find(({ next }) => next > from);
    if (batch === undefined || batch.base >= end) return null;
    const isLeftOut = batch.transaction?.state === 'aborted' && this.#options.isolation === 'read_committed';
    const buffer = this.#options.pool.tryAcquire(batch.bytes.length);
    if (buffer === null) return null;
    place.next = batch.next;
    const bytes = buffer.bytes.subarray(0, isLeftOut ? 0 : batch.bytes.copy(buffer.bytes));
    const release = (): void => {
      buffer.release();
      this.cluster.emit('change');
    };
    return {
      type: 'chunk',
      chunk: { partition: { topic, partition, incarnation }, bytes, from, next: batch.next, release },
    };
  }
}

/** The only member of its group: it is assigned everything at once. What else happens in a group, a test injects. */
export class FakeMember extends FakeReader implements KafkaMember {
  readonly generation = null;
  readonly options: MemberOptions;
  #isAssigned = false;

  constructor(cluster: FakeCluster, options: MemberOptions) {
    super(cluster, options);
    this.options = options;
  }

  generationOf(): null {
    return null;
  }

  async commit(offsets: Parameters<KafkaMember['commit']>[0]): Promise<void> {
    await this.cluster.answers(() => this.over.signal.aborted);
    for (const { topic, partition } of offsets) this.cluster.onCommitOffsets(topic, partition);
    const saved = this.cluster.offsetsOf(this.options.group);
    for (const { topic, partition, next } of offsets) saved.set(`${topic}/${partition}`, next);
  }

  protected override ready(): KafkaEvent | null {
    if (!this.#isAssigned) return this.#assign();
    return this.cluster.injected.get(this.options.group)?.shift() ?? null;
  }

  #assign(): KafkaEvent | null {
    const topic = (this.options.topics as readonly string[])[0]!;
    const found = this.cluster.topics.get(topic);
    if (found === undefined) return null;
    this.#isAssigned = true;
    const saved = this.cluster.offsetsOf(this.options.group);
    const partitions = found.partitions.map((_, partition) => ({
      topic,
      partition,
      incarnation: found.incarnation,
      committed: saved.get(`${topic}/${partition}`) ?? null,
    }));
    return { type: 'assigned', partitions };
  }
}
