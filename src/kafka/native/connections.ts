import { SluiceError, type Clock, type Logger } from '../../api/index.ts';
import type { KafkaSettings } from '../options.ts';
import { addressOf, type BrokerAddress } from '../common/address.ts';
import { backOff } from '../common/back-off.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { KafkaError } from '../common/errors.ts';
import type { BrokerOpener } from './open-connection.ts';

/** Brokers close a connection after 10 idle minutes; ours are closed before. */
const IDLE_MS = 5 * 60_000;
const SWEEP_MS = 30_000;

export interface Lane {
  readonly lane: string;
  readonly requestTimeoutMs: number;
}

interface Slot {
  readonly opening: Promise<BrokerConnection>;
  broker: BrokerConnection | null;
  /** Bytes both ways when last looked at, and since when they are the same. */
  bytes: number;
  idleSince: number;
}

interface Failure {
  readonly count: number;
  readonly until: number;
  readonly error: SluiceError;
}

/** One connection per broker and lane, made when first asked for and anew after it broke. */
export class Connections {
  readonly #open: BrokerOpener;
  readonly #settings: KafkaSettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #closed: AbortSignal;
  readonly #slots = new Map<string, Slot>();
  readonly #failures = new Map<string, Failure>();
  #sweeping: Promise<void> | null = null;

  constructor(options: {
    readonly open: BrokerOpener;
    readonly settings: KafkaSettings;
    readonly clock: Clock;
    readonly log: Logger;
    readonly closed: AbortSignal;
  }) {
    this.#open = options.open;
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#closed = options.closed;
  }

  /** To a broker by its node id, or (-1) by its address alone. */
  get(node: number, at: BrokerAddress, { lane, requestTimeoutMs }: Lane): Promise<BrokerConnection> {
    const key = `${node === -1 ? '' : node}@${addressOf(at)}/${lane}`;
    const slot = this.#slots.get(key);
    if (slot !== undefined && slot.broker?.isOpen !== false) return slot.opening;
    this.#sweeping ??= this.#sweep();
    if (slot?.broker !== undefined && slot.broker !== null) this.#leave(slot.broker, requestTimeoutMs);
    const opening = this.#connect(node, at, requestTimeoutMs);
    const made: Slot = { opening, broker: null, bytes: 0, idleSince: this.#clock.monotonic() };
    this.#slots.set(key, made);
    opening.then(
      (broker) => {
        made.broker = broker;
        if (this.#closed.aborted) void broker.wire.close();
      },
      () => {
        if (this.#slots.get(key) === made) this.#slots.delete(key);
      },
    );
    return opening;
  }

  /** One that is there for short requests, and answers. */
  openOne(): BrokerConnection | null {
    for (const [key, { broker }] of this.#slots)
      if (key.endsWith('/control') && broker?.isOpen === true && !broker.isSilent) return broker;
    return null;
  }

  /** Nobody uses this lane any more. */
  closeLane(lane: string): void {
    for (const [key, { opening }] of [...this.#slots]) {
      if (!key.endsWith(`/${lane}`)) continue;
      this.#slots.delete(key);
      opening.then(
        (broker) => {
          broker.retire();
          void broker.wire.close();
        },
        () => undefined,
      );
    }
  }

  /** Is there a connection to it on which it does not answer at the moment? */
  isSilent(at: BrokerAddress): boolean {
    const address = addressOf(at);
    return [...this.#slots.values()].some(({ broker }) => broker?.address === address && broker.isSilent);
  }

  /** To the first of these that answers, tried in turn. Rejects with `KAFKA_UNREACHABLE`, which names each and why, or with what only an operator mends. */
  async first(candidates: readonly (readonly [node: number, at: BrokerAddress])[]): Promise<BrokerConnection> {
    const errors: SluiceError[] = [];
    for (const [node, at] of candidates) {
      try {
        return await this.get(node, at, { lane: 'control', requestTimeoutMs: this.#settings.client.request_timeout });
      } catch (error) {
        if (this.#closed.aborted || !(error instanceof SluiceError)) throw error;
        errors.push(error);
      }
    }
    const lasting = errors.find((error) => !error.retryable);
    if (lasting !== undefined) throw lasting;
    const matters = errors.map((error) => (error instanceof KafkaError ? error.matter : error.message));
    throw new KafkaError('KAFKA_UNREACHABLE', 'metadata', 'connecting to Kafka', [...new Set(matters)].join('; '));
  }

  async close(): Promise<void> {
    const open = [...this.#slots.values()].flatMap(({ broker }) => (broker === null ? [] : [broker]));
    this.#slots.clear();
    await Promise.all(open.map(({ wire }) => wire.close()));
    await this.#sweeping;
  }

  /** Requests that are in flight on a connection which is not used any more have their time. */
  #leave({ wire }: BrokerConnection, requestTimeoutMs: number): void {
    const wait = wire.isOpen ? this.#clock.sleep(requestTimeoutMs, this.#closed) : Promise.resolve();
    void wait.catch(() => undefined).then(() => wire.close());
  }

  /** Within the back-off after a failure the same failure is told again, without another attempt. */
  async #connect(node: number, at: BrokerAddress, requestTimeoutMs: number): Promise<BrokerConnection> {
    const address = addressOf(at);
    const before = this.#failures.get(address);
    if (before !== undefined && this.#clock.monotonic() < before.until) throw before.error;
    try {
      const broker = await this.#open(node, at, requestTimeoutMs);
      this.#failures.delete(address);
      this.#log.debug({ broker: address }, 'connected to Kafka broker');
      return broker;
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      const count = (before?.count ?? 0) + 1;
      this.#failures.set(address, { count, until: this.#clock.monotonic() + backOff(count), error });
      throw error;
    }
  }

  async #sweep(): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(SWEEP_MS, this.#closed);
        for (const [key, slot] of this.#slots) this.#closeIfIdle(key, slot);
      }
    } catch {
      // Closed: nothing is left to sweep.
    }
  }

  #closeIfIdle(key: string, slot: Slot): void {
    if (slot.broker === null) return;
    const { wire } = slot.broker;
    const bytes = slot.broker.isOpen ? wire.bytes : -1;
    if (bytes > slot.bytes) {
      slot.bytes = bytes;
      slot.idleSince = this.#clock.monotonic();
    } else if (bytes === -1 || this.#clock.monotonic() - slot.idleSince >= IDLE_MS) {
      slot.broker.retire();
      void wire.close();
      this.#slots.delete(key);
    }
  }
}
