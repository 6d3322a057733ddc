import type { Clock } from '../../api/index.ts';
import type { KafkaClient, KafkaProducer } from '../../kafka/index.ts';
import type { SealedBatch } from '../topic-log.ts';
import { closedError, hasCode } from './log-errors.ts';

/** Transactions of checkpoints take milliseconds; one whose hub was killed holds back readers of the partition until this is over. */
const TRANSACTION_TIMEOUT_MS = 10_000;
const AGAIN_MS = 100;

export type KafkaBatch = Pick<SealedBatch, 'topic' | 'partition' | 'bytes'>;

/** How the checkpoints of a source are written. */
export interface CheckpointWriter {
  /** Whoever wrote before in the source's name is out from then on. */
  open(signal: AbortSignal): Promise<void>;
  /** All of it becomes visible or, as far as the cluster can do that, none. */
  write(batches: readonly KafkaBatch[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Nothing fences: for sources that many hubs run at once, and for clusters without transactions. */
export class PlainWriter implements CheckpointWriter {
  readonly #producer: KafkaProducer;

  constructor(producer: KafkaProducer) {
    this.#producer = producer;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  async write(batches: readonly KafkaBatch[]): Promise<void> {
    await sendAll(this.#producer, batches);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** One transaction a write, under an id that the next hub takes over when it starts the source. */
export class FencedWriter implements CheckpointWriter {
  readonly #client: KafkaClient;
  readonly #transactionalId: string;
  readonly #clock: Clock;
  #producer: Promise<KafkaProducer> | null = null;
  #isClosed = false;

  constructor(options: { client: KafkaClient; transactionalId: string; clock: Clock }) {
    this.#client = options.client;
    this.#transactionalId = options.transactionalId;
    this.#clock = options.clock;
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.#opened(signal);
  }

  async write(batches: readonly KafkaBatch[], signal: AbortSignal): Promise<void> {
    const producer = await this.#opened(signal);
    for (;;) {
      try {
        await sendAll(producer, batches);
        await producer.commitTransaction();
        return;
      } catch (error) {
        await producer.abortTransaction().catch(() => undefined);
        if (!hasCode(error, 'KAFKA_TRANSACTION')) throw error;
        await this.#clock.sleep(AGAIN_MS, signal);
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const producer = await this.#producer?.catch(() => null);
    await producer?.close();
  }

  #opened(signal: AbortSignal): Promise<KafkaProducer> {
    if (this.#isClosed) return Promise.reject(closedError('saving checkpoints'));
    if (this.#producer !== null) return this.#producer;
    const opening = this.#client.openProducer({
      transactionalId: this.#transactionalId,
      transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
      signal,
    });
    this.#producer = opening;
    opening.catch(() => {
      this.#producer = null;
    });
    return opening;
  }
}

/** Settles when all have: the bytes belong to the producer until then. */
export async function sendAll(producer: KafkaProducer, batches: readonly KafkaBatch[]): Promise<void> {
  const sent = await Promise.allSettled(
    batches.map(({ topic, partition, bytes }) => producer.send(topic, partition, bytes)),
  );
  for (const result of sent) if (result.status === 'rejected') throw result.reason;
}
