import { SluiceError, type Clock, type Logger } from '../../api/index.ts';
import { warnInsecure } from '../client-tls.ts';
import { OAuthTokens } from '../oauth-token.ts';
import type { KafkaSettings } from '../options.ts';
import { abortable } from '../common/abortable.ts';
import { addressOf, parseAddress } from '../common/address.ts';
import { backOff } from '../common/back-off.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { Connections, type Lane } from './connections.ts';
import { Coordinators, type CoordinatorKey } from './coordinators.ts';
import { KafkaError, matterOf, ProtocolError } from '../common/errors.ts';
import { kafkaError } from './errors.ts';
import { Metadata } from './metadata.ts';
import { brokerOpener } from './open-connection.ts';
import { Waiting, type Wait } from '../common/waiting.ts';

const CONTROL = 'control';

export type Target = { readonly node: number } | CoordinatorKey | 'controller' | 'any';

export interface ClusterOptions {
  readonly settings: KafkaSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onWait?: (reason: string | null) => void;
}

export interface ConnectionWish {
  /** Requests of different lanes do not wait behind each other: a broker answers those of one connection in order. Default `control`. */
  readonly lane?: string;
  /** For requests that take longer than `request_timeout`: a long poll, a join. Held when the lane's connection is made. */
  readonly requestTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A Kafka cluster: its connections, what it says of itself, and the patience with it. */
export class Cluster {
  readonly settings: KafkaSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metadata: Metadata;
  readonly #connections: Connections;
  readonly #coordinators: Coordinators;
  readonly #waiting: Waiting;
  readonly #closing = new AbortController();
  readonly #farewells = new Set<() => Promise<void>>();
  #isWarned = false;
  #reaching: Promise<BrokerConnection> | null = null;

  constructor({ settings, clock, log, onWait }: ClusterOptions) {
    this.settings = settings;
    this.clock = clock;
    this.log = log;
    this.#waiting = new Waiting(clock, onWait ?? (() => undefined));
    const tokens = settings.sasl === undefined ? null : new OAuthTokens(settings.sasl, clock, this.closed);
    this.#connections = new Connections({
      open: brokerOpener({ settings, tokens, clock, isKnown: () => this.metadata.view !== null }),
      settings,
      clock,
      log,
      closed: this.closed,
    });
    const anyBroker = (signal: AbortSignal): Promise<BrokerConnection> => this.connection('any', { signal });
    this.#coordinators = new Coordinators(anyBroker);
    this.metadata = new Metadata({
      clock,
      anyBroker,
      retrying: (what, attempt, signal) => this.retrying(what, attempt, signal),
      closed: this.closed,
    });
  }

  /** Aborts, with `KAFKA_CLOSED`, when the cluster is closed. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** A live connection to the target, made when missing or broken. Rejects when that does not work at once: to be called within `retrying`. */
  async connection(target: Target, wish: ConnectionWish = {}): Promise<BrokerConnection> {
    const signal = this.#withClosed(wish.signal);
    const { lane = CONTROL, requestTimeoutMs = this.settings.client.request_timeout } = wish;
    const broker = await abortable(this.#connect(target, { lane, requestTimeoutMs }, signal), signal);
    await broker.untilUnthrottled(signal);
    return broker;
  }

  /** Repeats `attempt` while it rejects with what waiting mends: back-off with jitter, leaders and coordinators looked up anew where the error asks for it. */
  async retrying<R>(what: string, attempt: () => Promise<R>, signal?: AbortSignal): Promise<R> {
    const either = this.#withClosed(signal);
    const wait = this.#waiting.begin();
    try {
      for (let failures = 1; ; failures++) {
        either.throwIfAborted();
        try {
          return await attempt();
        } catch (cause) {
          either.throwIfAborted();
          const error = kafkaError(cause, what);
          if (!error.retryable) throw error;
          this.#refreshAfter(error);
          wait.because(matterOf(error));
          await this.clock.sleep(backOff(failures), either);
        }
      }
    } finally {
      wait.end();
    }
  }

  /** What has been waited for longest, once that has lasted a second. */
  /** For what waits outside of `retrying`, and is said as that is. */
  beginWait(): Wait {
    return this.#waiting.begin();
  }

  get waitingFor(): string | null {
    return this.#waiting.reason;
  }

  /** Closes the connections of a lane that nobody uses any more. */
  closeLane(lane: string): void {
    this.#connections.closeLane(lane);
  }

  /** `act` is run while the connections are still there. Returns how to take it back. */
  beforeClose(act: () => Promise<void>): () => void {
    this.#farewells.add(act);
    return () => {
      this.#farewells.delete(act);
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#farewells].map((act) => act()));
    this.#closing.abort(new SluiceError('KAFKA_CLOSED', 'using the Kafka client: it is closed'));
    await this.#connections.close();
  }

  #withClosed(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.closed : AbortSignal.any([signal, this.closed]);
  }

  async #connect(target: Target, lane: Lane, signal: AbortSignal): Promise<BrokerConnection> {
    if (target === 'any') return lane.lane === CONTROL ? this.#any() : this.#sameNode(await this.#any(), lane);
    if (typeof target === 'object' && 'coordinator' in target) {
      const { node, at } = await this.#coordinators.find(target, signal);
      return this.#connections.get(node, at, lane);
    }
    const view = await this.metadata.cluster();
    const node = target === 'controller' ? view.controller : target.node;
    const at = view.brokers.get(node);
    if (at !== undefined) return this.#connections.get(node, at, lane);
    // Brokers without a controller of the old kind pass such requests on themselves.
    if (target === 'controller') return this.#any();
    throw new KafkaError(
      'KAFKA_UNREACHABLE',
      'metadata',
      'connecting to Kafka',
      `broker ${node} is not in the cluster`,
    );
  }

  async #any(): Promise<BrokerConnection> {
    if (!this.#isWarned) warnInsecure(this.settings, { log: this.log, clock: this.clock, signal: this.closed });
    this.#isWarned = true;
    return this.#connections.openOne() ?? (this.#reaching ??= this.#reach());
  }

  // Brokers that the cluster named first, since those of the settings may long be gone.
  async #reach(): Promise<BrokerConnection> {
    try {
      const named = [...(this.metadata.view?.brokers ?? [])];
      const known = new Set(named.map(([, at]) => addressOf(at)));
      const configured = this.settings.brokers.filter((address) => !known.has(address)).map(parseAddress);
      const all = [...named, ...configured.map((at) => [-1, at] as const)];
      const silent = all.filter(([, at]) => this.#connections.isSilent(at));
      const broker = await this.#connections.first([...all.filter((each) => !silent.includes(each)), ...silent]);
      if (this.metadata.view === null) await this.metadata.discover(broker);
      return broker;
    } finally {
      this.#reaching = null;
    }
  }

  #sameNode({ nodeId, at }: BrokerConnection, lane: Lane): Promise<BrokerConnection> {
    return this.#connections.get(nodeId, at, lane);
  }

  #refreshAfter(error: SluiceError): void {
    if (!(error instanceof KafkaError) || error.class === 'retry') return;
    if (error instanceof ProtocolError && error.topic !== null) {
      this.metadata.invalidate(error.topic);
      return;
    }
    this.#coordinators.forget();
    if (error.class === 'metadata') this.metadata.invalidate();
  }
}
