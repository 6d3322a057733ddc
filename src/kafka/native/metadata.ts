import { createHash } from 'node:crypto';
import { kafka } from './package.ts';
import { SluiceError, type Clock } from '../../api/index.ts';
import type { BrokerAddress } from '../common/address.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { knowsNoBrokers, topicError } from '../common/errors.ts';
import { UNKNOWN_TO_READERS_MS } from '../common/unknown-topic.ts';

const REFRESHED_AFTER_MS = 5 * 60_000;
const NO_ID = '00000000-0000-0000-0000-000000000000';
const UNKNOWN_TOPIC = new Set([3, 100]);

const metadataApis = [
  kafka.metadataV5.api,
  kafka.metadataV6.api,
  kafka.metadataV7.api,
  kafka.metadataV8.api,
  kafka.metadataV9.api,
  kafka.metadataV10.api,
  kafka.metadataV11.api,
  kafka.metadataV12.api,
];

type MetadataResponse = Awaited<ReturnType<typeof kafka.metadataV12.api.async>>;

interface PartitionMetadata {
  /** -1: there is none at the moment. */
  readonly leader: number;
  /** -1 from brokers before 2.1. */
  readonly epoch: number;
  readonly replicas: number;
  readonly inSync: number;
}

export interface TopicMetadata {
  readonly name: string;
  /** A UUID with dashes; null from brokers before 2.8. */
  readonly id: string | null;
  readonly incarnation: string;
  readonly isInternal: boolean;
  /** By number. */
  readonly partitions: readonly PartitionMetadata[];
}

export interface ClusterView {
  readonly id: string;
  readonly controller: number;
  readonly brokers: ReadonlyMap<number, BrokerAddress>;
}

interface Known {
  readonly topic: TopicMetadata;
  readonly at: number;
  isStale: boolean;
}

/** What the cluster said of its brokers and topics, kept for five minutes or until an error says that it is out of date. */
export class Metadata {
  readonly #clock: Clock;
  readonly #anyBroker: (signal: AbortSignal) => Promise<BrokerConnection>;
  readonly #retrying: Retrying;
  readonly #closed: AbortSignal;
  readonly #topics = new Map<string, Known>();
  readonly #names = new Map<string, string>();
  #view: ClusterView | null = null;
  #isViewStale = false;
  #discovering: Promise<ClusterView> | null = null;
  #asking: { readonly names: Set<string>; readonly answer: Promise<MetadataResponse> } | null = null;

  constructor(options: {
    readonly clock: Clock;
    readonly anyBroker: (signal: AbortSignal) => Promise<BrokerConnection>;
    readonly retrying: Retrying;
    readonly closed: AbortSignal;
  }) {
    this.#clock = options.clock;
    this.#anyBroker = options.anyBroker;
    this.#retrying = options.retrying;
    this.#closed = options.closed;
  }

  /** As last seen; null before the first answer. */
  get view(): ClusterView | null {
    return this.#view;
  }

  /** The brokers and which of them is the controller, asked for where nothing is known or it may be out of date. */
  async cluster(): Promise<ClusterView> {
    const known = this.#freshView();
    if (known !== null) return known;
    this.#discovering ??= this.#anyBroker(this.#closed)
      // Whoever reaches the first broker asks it already.
      .then((broker) => this.#freshView() ?? this.discover(broker))
      .finally(() => (this.#discovering = null));
    return this.#discovering;
  }

  /** Rejects with `TOPIC_UNKNOWN` when it does not exist, after waiting a moment for it to appear. */
  async topic(name: string, signal?: AbortSignal): Promise<TopicMetadata> {
    const known = this.#topics.get(name);
    if (known !== undefined && !known.isStale && this.#clock.monotonic() - known.at < REFRESHED_AFTER_MS)
      return known.topic;
    const until = this.#clock.monotonic() + UNKNOWN_TO_READERS_MS;
    const doing = `looking up topic ${JSON.stringify(name)}`;
    return this.#retrying(
      doing,
      async () => {
        const entry = (await this.#askTogether(name)).topics.find((topic) => topic.name === name);
        const code = entry?.errorCode ?? 3;
        if (UNKNOWN_TOPIC.has(code) && this.#clock.monotonic() >= until)
          throw new SluiceError('TOPIC_UNKNOWN', `${doing}: it does not exist`);
        if (code !== 0) throw topicError(code, name, doing);
        return this.#topics.get(name)!.topic;
      },
      signal,
    );
  }

  /** As last seen, in date or not. */
  known(topic: string): TopicMetadata | null {
    return this.#topics.get(topic)?.topic ?? null;
  }

  /** As last seen, in date or not, since what is wrong with one partition says nothing about the others of its topic. Null: there was none. */
  leader(topic: string, partition: number): { readonly node: number; readonly epoch: number } | null {
    const { leader, epoch } = this.known(topic)?.partitions[partition] ?? { leader: -1, epoch: -1 };
    return leader === -1 ? null : { node: leader, epoch };
  }

  /** What is known of a topic, or of all, is looked up again before it is next used. */
  invalidate(topic?: string): void {
    if (topic === undefined) this.#isViewStale = true;
    const known = topic === undefined ? [...this.#topics.values()] : [this.#topics.get(topic)];
    for (const entry of known) if (entry !== undefined) entry.isStale = true;
  }

  nameOf(topicId: string): string | null {
    return this.#names.get(topicId) ?? null;
  }

  /** Of these topics, or of all (null), those that exist, freshly asked. */
  async list(names: readonly string[] | null, signal?: AbortSignal): Promise<readonly TopicMetadata[]> {
    return this.#retrying(
      'listing topics',
      async () => {
        const broker = await this.#anyBroker(signal ?? this.#closed);
        const { topics } = this.#learn(await broker.call(metadataApis, names === null ? null : [...names], false));
        for (const { errorCode, name } of topics)
          if (errorCode !== 0 && !UNKNOWN_TOPIC.has(errorCode))
            throw topicError(errorCode, name!, `looking up topic ${JSON.stringify(name)}`);
        return topics.filter(({ errorCode }) => errorCode === 0).map(({ name }) => this.#topics.get(name!)!.topic);
      },
      signal,
    );
  }

  #freshView(): ClusterView | null {
    return this.#isViewStale ? null : this.#view;
  }

  /** Asks a broker that was just connected to for the others. */
  async discover(broker: BrokerConnection): Promise<ClusterView> {
    this.#learn(await broker.call(metadataApis, [], false));
    return this.#view!;
  }

  // Lookups of one turn go out as one request.
  async #askTogether(name: string): Promise<MetadataResponse> {
    if (this.#asking !== null) {
      this.#asking.names.add(name);
      return this.#asking.answer;
    }
    const names = new Set([name]);
    const answer = Promise.resolve()
      .then(() => this.#anyBroker(this.#closed))
      .finally(() => (this.#asking = null))
      .then(async (broker) => this.#learn(await broker.call(metadataApis, [...names], false)));
    this.#asking = { names, answer };
    return answer;
  }

  #learn(response: MetadataResponse): MetadataResponse {
    const brokers = response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }] as const);
    const id = response.clusterId ?? '';
    if (brokers.length === 0) throw knowsNoBrokers();
    this.#view = { id, controller: response.controllerId, brokers: new Map(brokers) };
    this.#isViewStale = false;
    for (const topic of response.topics) {
      if (typeof topic.name !== 'string') continue;
      if (topic.errorCode === 0) this.#keep(topicOf(topic, topic.name, id));
      else if (UNKNOWN_TOPIC.has(topic.errorCode)) this.#forget(topic.name);
    }
    return response;
  }

  #keep(topic: TopicMetadata): void {
    const before = this.#topics.get(topic.name)?.topic;
    if (before?.id !== topic.id) this.#forget(topic.name);
    const newest = before?.id === topic.id && topic.id !== null ? withNewestLeaders(topic, before) : topic;
    this.#topics.set(topic.name, { topic: newest, at: this.#clock.monotonic(), isStale: false });
    if (topic.id !== null) this.#names.set(topic.id, topic.name);
  }

  #forget(name: string): void {
    const id = this.#topics.get(name)?.topic.id;
    if (id !== undefined && id !== null) this.#names.delete(id);
    this.#topics.delete(name);
  }
}

export type Retrying = <R>(what: string, attempt: () => Promise<R>, signal?: AbortSignal) => Promise<R>;

function topicOf(response: MetadataResponse['topics'][number], name: string, clusterId: string): TopicMetadata {
  const id = response.topicId === NO_ID ? null : response.topicId;
  const partitions = response.partitions
    .toSorted((left, right) => left.partitionIndex - right.partitionIndex)
    .map(({ leaderId, leaderEpoch, replicaNodes, isrNodes }) => ({
      leader: leaderId,
      epoch: leaderEpoch,
      replicas: replicaNodes.length,
      inSync: isrNodes.length,
    }));
  return { name, id, incarnation: incarnationOf(name, id, clusterId), isInternal: response.isInternal, partitions };
}

/** A broker that lags behind an election must not bring its loser back. */
function withNewestLeaders(topic: TopicMetadata, before: TopicMetadata): TopicMetadata {
  const partitions = topic.partitions.map((partition, index) => {
    const known = before.partitions[index];
    return known !== undefined && known.epoch > partition.epoch ? known : partition;
  });
  return { ...topic, partitions };
}

/** The first 48 bits of the topic id, or of a hash of cluster id and name, in base64url: 8 characters. */
function incarnationOf(name: string, topicId: string | null, clusterId: string): string {
  const bytes =
    topicId === null
      ? createHash('sha256').update(`${clusterId}\0${name}`).digest()
      : Buffer.from(topicId.replaceAll('-', ''), 'hex');
  return bytes.subarray(0, 6).toString('base64url');
}
