import { SluiceError } from '../../api/index.ts';
import type {
  GroupOffset,
  KafkaClient,
  KafkaCluster,
  KafkaFeatures,
  KafkaGroup,
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
} from '../client.ts';
import type { KafkaDependencies } from '../open.ts';
import type { KafkaSettings } from '../options.ts';
import { KafkajsCluster } from './cluster.ts';
import { deleteGroup, describeGroup, groupOffsets, setGroupOffsets } from './groups.ts';
import { KafkajsMember } from './member.ts';
import { deleteRecords } from './delete-records.ts';
import { KafkajsProducer, withoutTransactions } from './producer.ts';
import { KafkajsReader } from './reader.ts';
import { alterTopicConfig, createTopic, deleteTopic, listTopics, topicConfig, topicOffsets } from './topics.ts';

const FIRST_WITH_ZSTD = 7;

interface Closable {
  close(): Promise<void>;
}

/** The driver for brokers of before 2.0, or by choice. kafkajs is loaded with the first connection. */
export function openKafkajsClient(settings: KafkaSettings, dependencies: KafkaDependencies): KafkaClient {
  return new KafkajsClient(settings, dependencies);
}

class KafkajsClient implements KafkaClient {
  readonly driver = 'kafkajs';
  readonly #cluster: KafkajsCluster;
  readonly #opened = new Set<Closable>();
  #lanes = 0;

  constructor(settings: KafkaSettings, { clock, log, onWait = () => undefined }: KafkaDependencies) {
    this.#cluster = new KafkajsCluster({ settings, clock, log, onWait });
  }

  features(signal?: AbortSignal): Promise<KafkaFeatures> {
    return this.#cluster.retrying(
      'asking a broker what it knows',
      async (either) => {
        const broker = await this.#cluster.connection('any', 'control', either);
        const zstd = broker.version('Produce') >= FIRST_WITH_ZSTD;
        return { transactions: false, topicIds: false, consumerProtocol: false, zstd };
      },
      { signal },
    );
  }

  async cluster(signal?: AbortSignal): Promise<KafkaCluster> {
    const ask = (either: AbortSignal): ReturnType<KafkajsCluster['ask']> => this.#cluster.ask([], either);
    const { id, brokers } = await this.#cluster.retrying('asking for the brokers', ask, { signal });
    return { id, brokers };
  }

  topics(names: readonly string[] | null, signal?: AbortSignal): Promise<readonly KafkaTopic[]> {
    return listTopics(this.#cluster, names, signal);
  }

  offsets(topic: string, at: OffsetAt, options: OffsetsOptions = {}): Promise<ReadonlyMap<number, number>> {
    return topicOffsets(this.#cluster, topic, at, options);
  }

  createTopic(topic: NewKafkaTopic, signal?: AbortSignal): Promise<boolean> {
    return createTopic(this.#cluster, topic, signal);
  }

  deleteTopic(name: string, signal?: AbortSignal): Promise<void> {
    return deleteTopic(this.#cluster, name, signal);
  }

  deleteRecords(...[topic, at, signal]: Parameters<KafkaClient['deleteRecords']>): Promise<void> {
    return deleteRecords(this.#cluster, topic, at, signal);
  }

  topicConfig(name: string, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
    return topicConfig(this.#cluster, name, signal);
  }

  alterTopicConfig(
    name: string,
    changes: Readonly<Record<string, string | null>>,
    signal?: AbortSignal,
  ): Promise<void> {
    return alterTopicConfig(this.#cluster, name, changes, signal);
  }

  groupOffsets(group: string, signal?: AbortSignal): Promise<readonly GroupOffset[]> {
    return groupOffsets(this.#cluster, group, signal);
  }

  describeGroup(group: string, signal?: AbortSignal): Promise<KafkaGroup | null> {
    return describeGroup(this.#cluster, group, signal);
  }

  setGroupOffsets(
    group: string,
    offsets: readonly { readonly topic: string; readonly partition: number; readonly next: number | null }[],
    signal?: AbortSignal,
  ): Promise<void> {
    return setGroupOffsets(this.#cluster, group, offsets, signal);
  }

  deleteGroup(group: string, signal?: AbortSignal): Promise<void> {
    return deleteGroup(this.#cluster, group, signal);
  }

  async openProducer(options: ProducerOptions): Promise<KafkaProducer> {
    if (options.transactionalId !== undefined) throw withoutTransactions('opening a transactional producer');
    await this.features(options.signal);
    return this.#open(new KafkajsProducer(this.#cluster, this.#lane('producer')));
  }

  openReader(options: ReaderOptions): KafkaReader {
    return this.#open(new KafkajsReader(this.#cluster, options, this.#lane('reader')));
  }

  joinGroup(options: MemberOptions): KafkaMember {
    if (options.protocol === 'consumer') {
      const doing = `joining group ${JSON.stringify(options.group)}`;
      const message = `${doing}: the driver kafkajs knows the classic group protocol only; \`driver: native\` knows KIP-848`;
      throw new SluiceError('KAFKA_UNSUPPORTED', message);
    }
    return this.#open(new KafkajsMember(this.#cluster, options, this.#lane('member')));
  }

  async close(): Promise<void> {
    const members = [...this.#opened].filter((opened) => opened instanceof KafkajsMember);
    // While the connections are there: members have to say that they leave.
    await Promise.all(members.map((member) => member.close()));
    const ending = [...this.#opened].map((opened) => opened.close());
    await this.#cluster.close();
    await Promise.all(ending);
    this.#opened.clear();
  }

  #lane(kind: string): string {
    return `${kind}-${++this.#lanes}`;
  }

  #open<Opened extends Closable>(opened: Opened): Opened {
    this.#opened.add(opened);
    return opened;
  }
}
