import { SluiceError } from '../../../../src/api/index.ts';
import type {
  KafkaClient,
  KafkaFeatures,
  KafkaMember,
  KafkaProducer,
  KafkaReader,
  KafkaTopic,
  MemberOptions,
  NewKafkaTopic,
  OffsetAt,
  OffsetsOptions,
  ProducerOptions,
  ReaderOptions,
} from '../../../../src/kafka/index.ts';
import type { FakeCluster, FakeTransaction } from './fake-cluster.ts';
import { FakeMember, FakeReader } from './fake-reader.ts';

/** A client of a cluster in memory, for what a real broker does not do when asked. Only what the topic log uses. */
export class FakeKafka implements KafkaClient {
  readonly driver = 'native';
  readonly members: FakeMember[] = [];
  readonly #cluster: FakeCluster;

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
  }

  features(): Promise<KafkaFeatures> {
    return Promise.resolve(this.#cluster.features);
  }

  topics(names: readonly string[] | null): Promise<readonly KafkaTopic[]> {
    const found = [...this.#cluster.topics].filter(([name]) => names?.includes(name) ?? true);
    return Promise.resolve(
      found.map(([name, { incarnation, partitions }]) => ({
        name,
        incarnation,
        partitions: partitions.map(() => ({ leader: 1, replicas: 3, inSync: 3 })),
        isInternal: false,
      })),
    );
  }

  offsets(topic: string, at: OffsetAt, { partitions }: OffsetsOptions = {}): Promise<ReadonlyMap<number, number>> {
    const all = partitions ?? this.#cluster.topics.get(topic)!.partitions.map((_, partition) => partition);
    return Promise.resolve(
      new Map(
        all.map((partition) => {
          const { earliest, end, stable } = this.#cluster.partition(topic, partition);
          return [partition, at === 'earliest' ? earliest : at === 'latest' ? end : stable];
        }),
      ),
    );
  }

  createTopic({ name, partitions, config }: NewKafkaTopic): Promise<boolean> {
    if (this.#cluster.topics.has(name)) return Promise.resolve(false);
    this.#cluster.create(name, partitions, config);
    return Promise.resolve(true);
  }

  deleteRecords(): Promise<void> {
    return Promise.reject(new Error('not needed here'));
  }

  topicConfig(name: string): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(this.#cluster.topics.get(name)!.config);
  }

  alterTopicConfig(name: string, changes: Readonly<Record<string, string | null>>): Promise<void> {
    for (const [key, value] of Object.entries(changes)) this.#cluster.topics.get(name)!.config.set(key, value!);
    return Promise.resolve();
  }

  async openProducer({ transactionalId }: ProducerOptions): Promise<KafkaProducer> {
    await this.#cluster.answers(() => false);
    return new FakeProducer(this.#cluster, transactionalId ?? null);
  }

  openReader(options: ReaderOptions): KafkaReader {
    return new FakeReader(this.#cluster, options);
  }

  joinGroup(options: MemberOptions): KafkaMember {
    const member = new FakeMember(this.#cluster, options);
    this.members.push(member);
    return member;
  }

  cluster = unused;
  deleteTopic = unused;
  groupOffsets = unused;
  describeGroup = unused;
  setGroupOffsets = unused;
  deleteGroup = unused;
  close = unused;
}

function unused(): Promise<never> {
  return Promise.reject(new Error('the topic log does not use this'));
}

class FakeProducer implements KafkaProducer {
  readonly #cluster: FakeCluster;
  readonly #transactionalId: string | null;
  readonly #epoch: number;
  #transaction: FakeTransaction | null = null;
  #isClosed = false;
  #isOver = false;
  /** By partition. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(cluster: FakeCluster, transactionalId: string | null) {
    this.#cluster = cluster;
    this.#transactionalId = transactionalId;
    this.#epoch = transactionalId === null ? 0 : (cluster.epochs.get(transactionalId) ?? -1) + 1;
    if (transactionalId === null) return;
    cluster.epochs.set(transactionalId, this.#epoch);
    const predecessors = cluster.transactions.get(transactionalId);
    if (predecessors?.state === 'open') predecessors.state = 'aborted';
  }

  get waitingFor(): string | null {
    return this.#cluster.isDown ? 'a broker' : null;
  }

  send(topic: string, partition: number, bytes: Buffer): Promise<number> {
    const place = `${topic}/${partition}`;
    const sent = Promise.resolve(this.#last.get(place)).then(async () => {
      await this.#cluster.answers(() => this.#isClosed);
      await this.#cluster.beforeSend(topic, partition);
      this.#holdEpoch();
      this.#cluster.onSend(topic, partition);
      if (this.#transactionalId !== null) {
        this.#transaction ??= { state: 'open' };
        this.#cluster.transactions.set(this.#transactionalId, this.#transaction);
      }
      const base = this.#cluster.partition(topic, partition).append(bytes, this.#transaction);
      this.#cluster.emit('change');
      return base;
    });
    this.#last.set(
      place,
      sent.catch(() => undefined),
    );
    return sent;
  }

  async commitTransaction(): Promise<void> {
    await this.#cluster.answers(() => this.#isClosed);
    this.#holdEpoch();
    this.#cluster.onCommitTransaction();
    this.#end('committed');
  }

  abortTransaction(): Promise<void> {
    this.#end('aborted');
    return Promise.resolve();
  }

  sendOffsets = unused;

  get isOver(): boolean {
    return this.#isClosed || this.#isOver;
  }

  wasReplaced(): Promise<boolean> {
    return Promise.resolve(this.#cluster.epochs.get(this.#transactionalId ?? '') !== this.#epoch);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  #end(state: 'committed' | 'aborted'): void {
    if (this.#transaction !== null) this.#transaction.state = state;
    this.#transaction = null;
    this.#cluster.emit('change');
  }

  #holdEpoch(): void {
    if (this.#transactionalId === null || this.#cluster.epochs.get(this.#transactionalId) === this.#epoch) return;
    this.#end('aborted');
    this.#isOver = true;
    throw new SluiceError('KAFKA_FENCED', `writing as "${this.#transactionalId}"`);
  }
}
