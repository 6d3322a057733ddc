import { SluiceError, type Clock, type Logger } from '../../api/index.ts';
import { warnInsecure } from '../client-tls.ts';
import { abortable } from '../common/abortable.ts';
import { addressOf, parseAddress, type BrokerAddress } from '../common/address.ts';
import { backOff } from '../common/back-off.ts';
import { Waiting } from '../common/waiting.ts';
import type { KafkaSettings } from '../options.ts';
import { connectBroker, type BrokerConnection } from './connection.ts';
import { KafkaError, knowsNoBrokers, matterOf, ProtocolError, throwOnCode, topicError } from '../common/errors.ts';
import { UNKNOWN_TO_READERS_MS } from '../common/unknown-topic.ts';
import { asSluiceError } from './errors.ts';
import { loadLibrary, type Library } from './library.ts';
import { askMetadata, type ClusterMetadata, type TopicMetadata } from './metadata.ts';
import { Security } from './security.ts';

const UNKNOWN_TOPIC = 3;
const LEADER_NOT_AVAILABLE = 5;
const REFRESHED_AFTER_MS = 5 * 60_000;

export type Target = { readonly node: number } | { readonly group: string } | 'controller' | 'any';

interface Known {
  readonly topic: TopicMetadata;
  readonly at: number;
}

/** A cluster as kafkajs' connections show it: its brokers, leaders and coordinators, and the patience with them. */
export class KafkajsCluster {
  readonly settings: KafkaSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly #security: Security;
  readonly #closing = new AbortController();
  readonly #waiting: Waiting;
  /** By lane and broker. */
  readonly #connections = new Map<string, Promise<BrokerConnection>>();
  readonly #seeds: readonly BrokerAddress[];
  #seed = 0;
  #brokers = new Map<number, BrokerAddress>();
  #controller = -1;
  readonly #topics = new Map<string, Known>();
  readonly #coordinators = new Map<string, BrokerAddress>();

  constructor(options: {
    settings: KafkaSettings;
    clock: Clock;
    log: Logger;
    onWait: (reason: string | null) => void;
  }) {
    this.settings = options.settings;
    this.clock = options.clock;
    this.log = options.log;
    this.#security = new Security(options.settings, { clock: options.clock, closed: this.closed });
    warnInsecure(options.settings, { log: options.log, clock: options.clock, signal: this.closed });
    this.#waiting = new Waiting(options.clock, options.onWait);
    this.#seeds = options.settings.brokers.map(parseAddress);
  }

  /** Aborts, with `KAFKA_CLOSED`, when the cluster is closed. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  library(): Promise<Library> {
    return loadLibrary();
  }

  /** Live, made when missing or broken. Requests of different lanes do not wait behind each other. To be called within `retrying`. */
  async connection(target: Target, lane = 'control', signal: AbortSignal = this.closed): Promise<BrokerConnection> {
    const address = await this.#addressOf(target, signal);
    return abortable(this.#connectionTo(address, lane), signal);
  }

  /** Repeats `attempt` while it rejects with what waiting mends. `waiting`: who says what it waits for, beside the cluster itself. */
  async retrying<R>(
    what: string,
    attempt: (signal: AbortSignal) => Promise<R>,
    { signal, waiting }: { signal?: AbortSignal | undefined; waiting?: Waiting } = {},
  ): Promise<R> {
    const either = signal === undefined ? this.closed : AbortSignal.any([signal, this.closed]);
    const waits = [this.#waiting.begin(), ...(waiting === undefined ? [] : [waiting.begin()])];
    try {
      for (let failures = 1; ; failures++) {
        either.throwIfAborted();
        try {
          return await abortable(attempt(either), either);
        } catch (cause) {
          either.throwIfAborted();
          const error = asSluiceError(cause, what);
          if (!error.retryable) throw error;
          this.forgetAfter(error);
          for (const wait of waits) wait.because(matterOf(error));
          await this.clock.sleep(backOff(failures), either);
        }
      }
    } finally {
      for (const wait of waits) wait.end();
    }
  }

  /** Leaders, controller and coordinators are looked up again where the error asks for it. */
  forgetAfter(error: SluiceError): void {
    if (!(error instanceof KafkaError) || error.class === 'retry') return;
    if (error instanceof ProtocolError && error.topic !== null) {
      this.#topics.delete(error.topic);
      return;
    }
    this.#coordinators.clear();
    if (error.class === 'metadata') {
      this.#topics.clear();
      this.#controller = -1;
    }
  }

  /** Fresh, of these topics or of all (null). */
  async ask(names: readonly string[] | null, signal?: AbortSignal): Promise<ClusterMetadata> {
    const metadata = await askMetadata(await this.connection('any', 'control', signal), names);
    if (metadata.brokers.length === 0) throw knowsNoBrokers();
    this.#learn(metadata);
    return metadata;
  }

  /** As known, or asked for. Rejects with `TOPIC_UNKNOWN` when it does not exist, after a moment in which it may appear. */
  async topic(
    name: string,
    options: { signal?: AbortSignal | undefined; waiting?: Waiting } = {},
  ): Promise<TopicMetadata> {
    const known = this.known(name);
    if (known !== null) return known;
    const doing = `looking up topic ${JSON.stringify(name)}`;
    const until = this.clock.monotonic() + UNKNOWN_TO_READERS_MS;
    return this.retrying(
      doing,
      async (signal) => {
        const topic = (await this.ask([name], signal)).topics[0];
        const code = topic?.errorCode ?? UNKNOWN_TOPIC;
        if (code === UNKNOWN_TOPIC && this.clock.monotonic() >= until) throw unknownTopic(name);
        if (code !== 0) throw topicError(code, name, doing);
        return topic!;
      },
      options,
    );
  }

  /** Null: ask `topic`, which looks it up. */
  known(name: string): TopicMetadata | null {
    const known = this.#topics.get(name);
    return known === undefined || this.clock.monotonic() - known.at > REFRESHED_AFTER_MS ? null : known.topic;
  }

  /** The leader's node. Rejects when there is none at the moment. */
  async leader(topic: string, partition: number, options: { signal: AbortSignal; waiting?: Waiting }): Promise<number> {
    const { partitions } = await this.topic(topic, options);
    const known = partitions[partition];
    if (known === undefined) throw unknownTopic(topic, partition);
    if (known.leader >= 0) return known.leader;
    throw topicError(
      LEADER_NOT_AVAILABLE,
      topic,
      `finding the leader of topic ${JSON.stringify(topic)} partition ${partition}`,
    );
  }

  /** Ends the connections of a lane. */
  async closeLane(lane: string): Promise<void> {
    const ending = [...this.#connections].filter(([key]) => key.startsWith(`${lane} `));
    for (const [key] of ending) this.#connections.delete(key);
    for (const made of await Promise.allSettled(ending.map(([, connection]) => connection)))
      if (made.status === 'fulfilled') made.value.close();
  }

  async close(): Promise<void> {
    this.#closing.abort(new SluiceError('KAFKA_CLOSED', 'using the Kafka client: it is closed'));
    const lanes = new Set([...this.#connections.keys()].map((key) => key.slice(0, key.indexOf(' '))));
    await Promise.all([...lanes].map((lane) => this.closeLane(lane)));
  }

  async #addressOf(target: Target, signal: AbortSignal): Promise<BrokerAddress> {
    if (target === 'any') return this.#anyAddress();
    if (target === 'controller') {
      if (this.#controller < 0) await this.ask([], signal);
      return this.#brokers.get(this.#controller) ?? this.#anyAddress();
    }
    if ('group' in target) return this.#coordinators.get(target.group) ?? this.#findCoordinator(target.group, signal);
    if (!this.#brokers.has(target.node)) await this.ask([], signal);
    const address = this.#brokers.get(target.node);
    if (address !== undefined) return address;
    throw new KafkaError(
      'KAFKA_UNREACHABLE',
      'metadata',
      'connecting to Kafka',
      `broker ${target.node} is not in the cluster`,
    );
  }

  /** One that was reached before, else the given ones and the brokers they named, in turn. */
  #anyAddress(): BrokerAddress {
    const all = [...this.#seeds, ...this.#brokers.values()];
    return all[this.#seed % all.length]!;
  }

  #connectionTo(address: BrokerAddress, lane: string): Promise<BrokerConnection> {
    const key = `${lane} ${addressOf(address)}`;
    const known = this.#connections.get(key);
    if (known !== undefined) return this.#checked(key, known, address, lane);
    const made = this.#connect(address);
    this.#connections.set(key, made);
    made.catch(() => {
      if (this.#connections.get(key) === made) this.#connections.delete(key);
      // Whoever asks for any broker next gets another.
      this.#seed++;
    });
    return made;
  }

  async #checked(
    key: string,
    known: Promise<BrokerConnection>,
    address: BrokerAddress,
    lane: string,
  ): Promise<BrokerConnection> {
    const broker = await known;
    if (broker.isConnected) return broker;
    if (this.#connections.get(key) === known) this.#connections.delete(key);
    return this.#connectionTo(address, lane);
  }

  async #connect(address: BrokerAddress): Promise<BrokerConnection> {
    this.closed.throwIfAborted();
    const library = await this.library();
    const { tls, sasl } = await this.#security.credentials();
    const broker = await connectBroker(library, {
      ...address,
      settings: this.settings,
      mayLackCredentials: () => this.settings.sasl === undefined && this.#brokers.size === 0,
      tls,
      sasl,
      log: this.log,
    });
    if (!this.closed.aborted) return broker;
    broker.close();
    throw this.closed.reason as Error;
  }

  async #findCoordinator(group: string, signal: AbortSignal): Promise<BrokerAddress> {
    const doing = `finding the coordinator of group ${JSON.stringify(group)}`;
    const broker = await this.connection('any', 'control', signal);
    const parameters = { groupId: group, coordinatorKey: group, coordinatorType: 0 };
    const { errorCode, coordinator } = await broker.call<{ errorCode: number; coordinator: BrokerAddress }>(
      'GroupCoordinator',
      parameters,
      doing,
    );
    throwOnCode(errorCode, doing);
    this.#coordinators.set(group, coordinator);
    return coordinator;
  }

  #learn(metadata: ClusterMetadata): void {
    this.#brokers = new Map(metadata.brokers.map((broker) => [broker.id, broker]));
    this.#controller = metadata.controller;
    const at = this.clock.monotonic();
    for (const topic of metadata.topics) {
      if (topic.errorCode === 0) this.#topics.set(topic.name, { topic, at });
      else this.#topics.delete(topic.name);
    }
  }
}

export function unknownTopic(name: string, partition?: number): SluiceError {
  const what = `looking up topic ${JSON.stringify(name)}`;
  const missing = partition === undefined ? 'it does not exist' : `it has no partition ${partition}`;
  return new SluiceError('TOPIC_UNKNOWN', `${what}: ${missing}`);
}
