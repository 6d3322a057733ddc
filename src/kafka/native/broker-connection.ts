import { protocolAPIsById, protocolAPIsByName, type API } from './package.ts';
import type { Clock, SluiceError } from '../../api/index.ts';
import { addressOf, type BrokerAddress } from '../common/address.ts';
import { KafkaError } from '../common/errors.ts';
import { answerOf, kafkaError } from './errors.ts';
import { callApi } from './exchange.ts';
import type { Wire } from './wire.ts';

const SILENT_MS = 2000;

interface VersionRange {
  readonly lowest: number;
  readonly highest: number;
}

/** What a broker said of itself when the connection was made. */
export interface BrokerAbilities {
  /** By API key. */
  readonly versions: ReadonlyMap<number, VersionRange>;
  /** Finalised feature levels (`transaction.version`, `group.version`, …): those of 2.7 and later. */
  readonly features: ReadonlyMap<string, number>;
}

/** One live connection to a broker. It never connects again: ask the cluster for another when it broke. */
export class BrokerConnection {
  /** -1 while it is only known by its address. */
  readonly nodeId: number;
  readonly at: BrokerAddress;
  /** `host:port` */
  readonly address: string;
  readonly wire: Wire;
  readonly #abilities: BrokerAbilities;
  readonly #clock: Clock;
  readonly #whyBroken: (error: unknown) => string;
  readonly #asking = new Set<{ readonly since: number }>();
  #usableUntil = Infinity;
  #throttledUntil = 0;
  #isRetired = false;

  constructor(options: {
    readonly nodeId: number;
    readonly at: BrokerAddress;
    readonly wire: Wire;
    readonly abilities: BrokerAbilities;
    /** What is the matter after a request failed with `error`, in words. */
    readonly whyBroken: (error: unknown) => string;
    readonly clock: Clock;
  }) {
    this.nodeId = options.nodeId;
    this.at = options.at;
    this.address = addressOf(options.at);
    this.wire = options.wire;
    this.#abilities = options.abilities;
    this.#whyBroken = options.whyBroken;
    this.#clock = options.clock;
  }

  /** False: it broke, or is about to be closed; a new request needs another. */
  get isOpen(): boolean {
    return !this.#isRetired && this.wire.isOpen && this.#clock.monotonic() < this.#usableUntil;
  }

  /** A call waits for its answer longer than brokers take: another broker may answer sooner. */
  get isSilent(): boolean {
    const [longest] = this.#asking;
    return longest !== undefined && this.#clock.monotonic() - longest.since >= SILENT_MS;
  }

  /** Takes no new request from this monotonic time on, by when the broker wants to be authenticated to again. */
  retireAt(time: number): void {
    this.#usableUntil = time;
  }

  /** Takes no new request. What is in flight goes on. */
  retire(): void {
    this.#isRetired = true;
  }

  /** The highest version of an API in [lowest, highest] that the broker speaks. Throws `KAFKA_UNSUPPORTED`. */
  version(apiName: string, lowest: number, highest: number): number {
    const range = this.#abilities.versions.get(protocolAPIsByName[apiName] ?? -1);
    const version = Math.min(range?.highest ?? -1, highest);
    if (range !== undefined && version >= lowest && version >= range.lowest) return version;
    const offered = range === undefined ? 'does not speak it' : `speaks versions ${range.lowest} to ${range.highest}`;
    throw new KafkaError(
      'KAFKA_UNSUPPORTED',
      'fatal',
      `asking broker ${this.address} for ${apiName} in version ${lowest} to ${highest}`,
      `it ${offered}; this driver is for Kafka 2.0 and later, \`driver: kafkajs\` for older brokers`,
    );
  }

  speaks(apiName: string, version: number): boolean {
    const range = this.#abilities.versions.get(protocolAPIsByName[apiName] ?? -1);
    return range !== undefined && version >= range.lowest && version <= range.highest;
  }

  /** The finalised level of a feature; 0 where the cluster has none. */
  feature(name: string): number {
    return this.#abilities.features.get(name) ?? 0;
  }

  /**
   * Sends a request in the highest version of `apis` that the broker speaks. Resolves with the answer even where it carries error codes, which are
   * the caller's to judge; rejects when there is no answer.
   */
  async call<Arguments extends unknown[], Response>(
    apis: readonly API<Arguments, Response>[],
    ...args: Arguments
  ): Promise<Response> {
    const asked = { since: this.#clock.monotonic() };
    this.#asking.add(asked);
    try {
      const response = await answerOf(this.ask(apis, ...args));
      this.throttled(throttleOf(response));
      return response;
    } catch (error) {
      throw this.failed(error, `asking broker ${this.address} (${protocolAPIsById[apis[0]!.key] ?? ''})`);
    } finally {
      this.#asking.delete(asked);
    }
  }

  /** The same, but rejects with what happened as it is, also where the answer carries error codes. */
  ask<Arguments extends unknown[], Response>(
    apis: readonly API<Arguments, Response>[],
    ...args: Arguments
  ): Promise<Response> {
    const numbers = apis.map(({ version }) => version);
    const version = this.version(protocolAPIsById[apis[0]!.key] ?? '', Math.min(...numbers), Math.max(...numbers));
    return callApi(
      this.wire,
      apis.find((candidate) => candidate.version === version)!,
      ...args,
    );
  }

  /** What a request of this connection rejected with, as an error that says what to do. */
  failed(error: unknown, doing: string): SluiceError {
    const said = kafkaError(error, doing);
    if (!(said instanceof KafkaError) || said.cause !== error || said.code !== 'KAFKA_UNREACHABLE') return said;
    return new KafkaError('KAFKA_UNREACHABLE', 'metadata', doing, this.#whyBroken(error), error);
  }

  /** To be told of the `throttle_time_ms` of each answer: the broker reads nothing from this connection until it is over. */
  throttled(forMs: number): void {
    if (forMs > 0) this.#throttledUntil = Math.max(this.#throttledUntil, this.#clock.monotonic() + forMs);
  }

  async untilUnthrottled(signal: AbortSignal): Promise<void> {
    const forMs = this.#throttledUntil - this.#clock.monotonic();
    if (forMs > 0) await this.#clock.sleep(forMs, signal);
  }
}

function throttleOf(response: unknown): number {
  if (typeof response !== 'object' || response === null || !('throttleTimeMs' in response)) return 0;
  return typeof response.throttleTimeMs === 'number' ? response.throttleTimeMs : 0;
}
