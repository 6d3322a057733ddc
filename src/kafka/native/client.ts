import type {
  KafkaClient,
  KafkaCluster,
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
} from '../client.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { deleteGroup, describeGroup, groupOffsets, setGroupOffsets } from './groups.ts';
import { joinNativeGroup } from './member.ts';
import { deleteRecords } from './delete-records.ts';
import { listOffsets } from './offsets.ts';
import { openNativeProducer } from './producer.ts';
import { openNativeReader } from './reader.ts';
import { alterTopicConfig, createTopic, deleteTopic, topicConfig } from './topics.ts';

/** The driver for Kafka 2.0 and later, over connections of @platformatic/kafka. */
export class NativeClient implements KafkaClient {
  readonly driver = 'native';
  readonly #cluster: Cluster;

  constructor(options: ClusterOptions) {
    this.#cluster = new Cluster(options);
  }

  features(signal?: AbortSignal): Promise<KafkaFeatures> {
    return this.#cluster.retrying(
      'asking what the brokers can do',
      async () => {
        const broker = await this.#cluster.connection('any', signal === undefined ? {} : { signal });
        return {
          transactions: broker.speaks('InitProducerId', 0),
          topicIds: broker.speaks('Metadata', 10),
          consumerProtocol: broker.speaks('ConsumerGroupHeartbeat', 0) && broker.feature('group.version') >= 1,
          zstd: broker.speaks('Produce', 7),
        };
      },
      signal,
    );
  }

  async cluster(signal?: AbortSignal): Promise<KafkaCluster> {
    const { id, brokers } = await this.#cluster.retrying(
      'asking for the brokers',
      async () =>
        this.#cluster.metadata.discover(await this.#cluster.connection('any', signal === undefined ? {} : { signal })),
      signal,
    );
    return { id, brokers: [...brokers].map(([node, { host, port }]) => ({ id: node, host, port })) };
  }

  topics(names: readonly string[] | null, signal?: AbortSignal): Promise<readonly KafkaTopic[]> {
    return this.#cluster.metadata.list(names, signal);
  }

  offsets(topic: string, at: OffsetAt, options?: OffsetsOptions): Promise<ReadonlyMap<number, number>> {
    return listOffsets(this.#cluster, topic, at, options);
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

  groupOffsets(group: string, signal?: AbortSignal): ReturnType<KafkaClient['groupOffsets']> {
    return groupOffsets(this.#cluster, group, signal);
  }

  describeGroup(group: string, signal?: AbortSignal): ReturnType<KafkaClient['describeGroup']> {
    return describeGroup(this.#cluster, group, signal);
  }

  setGroupOffsets(...[group, offsets, signal]: Parameters<KafkaClient['setGroupOffsets']>): Promise<void> {
    return setGroupOffsets(this.#cluster, group, offsets, signal);
  }

  deleteGroup(group: string, signal?: AbortSignal): Promise<void> {
    return deleteGroup(this.#cluster, group, signal);
  }

  openProducer(options: ProducerOptions): Promise<KafkaProducer> {
    return openNativeProducer(this.#cluster, options);
  }

  openReader(options: ReaderOptions): KafkaReader {
    return openNativeReader(this.#cluster, options);
  }

  joinGroup(options: MemberOptions): KafkaMember {
    return joinNativeGroup(this.#cluster, options);
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }
}
