import { SluiceError } from '../../api/index.ts';
import { topicError } from '../common/errors.ts';
import { UNKNOWN_TO_WRITERS_MS } from '../common/unknown-topic.ts';
import { Waiting } from '../common/waiting.ts';
import type { KafkaProducer } from '../client.ts';
import { unknownTopic, type KafkajsCluster } from './cluster.ts';
import { produceTo, type ProduceRequest } from './produce.ts';

const UNKNOWN_TOPIC = 3;

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

  get isOver(): boolean {
    return this.#closing.signal.aborted;
  }

  wasReplaced(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async close(): Promise<void> {
    this.#closing.abort(new SluiceError('KAFKA_CLOSED', 'writing to Kafka: the producer was closed'));
    await Promise.all(this.#last.values());
    await this.#cluster.closeLane(this.#lane);
  }

  #send(topic: string, partition: number, bytes: Buffer): Promise<number> {
    let unknownSince: number | null = null;
    const { clock } = this.#cluster;
    const doing = `writing to topic ${JSON.stringify(topic)} partition ${partition}`;
    const attempt = async (signal: AbortSignal): Promise<number> => {
      try {
        return await this.#sendOnce({ topic, partition, bytes }, signal);
      } catch (error) {
        if (!(error instanceof SluiceError) || error.code !== 'TOPIC_UNKNOWN') throw error;
        unknownSince ??= clock.monotonic();
        if (clock.monotonic() - unknownSince >= UNKNOWN_TO_WRITERS_MS)
          throw error.retryable ? unknownTopic(topic, partition) : error;
        throw topicError(UNKNOWN_TOPIC, topic, doing);
      }
    };
    return this.#cluster.retrying(doing, attempt, { signal: this.#closing.signal, waiting: this.#waiting });
  }

  async #sendOnce(batch: Omit<ProduceRequest, 'timeoutMs'>, signal: AbortSignal): Promise<number> {
    const node = await this.#cluster.leader(batch.topic, batch.partition, { signal, waiting: this.#waiting });
    const broker = await this.#cluster.connection({ node }, this.#lane, signal);
    const library = await this.#cluster.library();
    signal.throwIfAborted();
    return produceTo(broker, library, { ...batch, timeoutMs: this.#cluster.settings.client.request_timeout });
  }
}

export function withoutTransactions(doing: string): SluiceError {
  return new SluiceError(
    'KAFKA_UNSUPPORTED',
    `${doing}: the driver kafkajs is without transactions; \`driver: native\` has them`,
  );
}
