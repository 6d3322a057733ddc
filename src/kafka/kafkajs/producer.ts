import { SluiceError } from '../../api/index.ts';
import { Waiting } from '../shared/waiting.ts';
import type { KafkaProducer } from '../client.ts';
import { unknownTopic, type KafkajsCluster } from './cluster.ts';
import { isCode } from './errors.ts';
import { produceTo } from './produce.ts';

const UNKNOWN_TOPIC = 3;
/** How long a leader may not know a partition that the cluster lists, as right after it was made. */
const UNKNOWN_FOR_MS = 5000;

/**
 * One batch of a partition is on its way at a time, so that they keep their order; it is sent until it is acknowledged. Nothing tells the broker of a
 * repetition: a batch whose answer was lost is written twice.
 */
export class KafkajsProducer implements KafkaProducer {
  readonly #cluster: KafkajsCluster;
  readonly #lane: string;
  readonly #waiting: Waiting;
  readonly #closing = new AbortController();
  /** By partition, what the next batch waits for. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(cluster: KafkajsCluster, lane: string) {
    this.#cluster = cluster;
    this.#lane = lane;
    this.#waiting = new Waiting(cluster.clock, () => undefined);
  }

  get waitingFor(): string | null {
    return this.#waiting.reason;
  }

  send(topic: string, partition: number, bytes: Buffer): Promise<number> {
    const key = `${partition} ${topic}`;
    const before = this.#last.get(key) ?? Promise.resolve();
    const sent = before.then(() => this.#send(topic, partition, bytes));
    const settled = sent.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, settled);
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return sent;
  }

  commitTransaction(): Promise<void> {
    return Promise.reject(withoutTransactions('committing a transaction'));
  }

  abortTransaction(): Promise<void> {
    return Promise.reject(withoutTransactions('aborting a transaction'));
  }

  sendOffsets(): Promise<void> {
    return Promise.reject(withoutTransactions('adding offsets to a transaction'));
  }

  async close(): Promise<void> {
    this.#closing.abort(new SluiceError('KAFKA_CLOSED', 'writing to Kafka: the producer was closed'));
    await Promise.all(this.#last.values());
    await this.#cluster.closeLane(this.#lane);
  }

  async #send(topic: string, partition: number, bytes: Buffer): Promise<number> {
    let unknownSince: number | null = null;
    const { clock, settings } = this.#cluster;
    const attempt = async (signal: AbortSignal): Promise<number> => {
      const node = await this.#cluster.leader(topic, partition, { signal, waiting: this.#waiting });
      const broker = await this.#cluster.connection({ node }, this.#lane, signal);
      const library = await this.#cluster.library();
      signal.throwIfAborted();
      try {
        return await produceTo(broker, library, {
          topic,
          partition,
          bytes,
          timeoutMs: settings.client.request_timeout,
        });
      } catch (error) {
        if (!isCode(error, UNKNOWN_TOPIC)) throw error;
        unknownSince ??= clock.monotonic();
        if (clock.monotonic() - unknownSince > UNKNOWN_FOR_MS) throw unknownTopic(topic, partition);
        throw error;
      }
    };
    const doing = `writing to topic ${JSON.stringify(topic)} partition ${partition}`;
    return this.#cluster.retrying(doing, attempt, { signal: this.#closing.signal, waiting: this.#waiting });
  }
}

export function withoutTransactions(doing: string): SluiceError {
  return new SluiceError(
    'KAFKA_UNSUPPORTED',
    `${doing}: the driver kafkajs is without transactions; \`driver: native\` has them`,
  );
}
