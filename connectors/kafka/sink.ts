import {
  SluiceError,
  type Disposition,
  type RecordBatch,
  type RecordFailure,
  type Sink,
  type SinkContext,
  type WriteResult,
} from 'sluice/api';
import { openKafka, type KafkaClient, type KafkaProducer } from 'sluice/kafka';
import type { SinkOptions } from './options.ts';
import { buildParcels, passParcels, type Parcel } from './parcels.ts';

/** Partitions that a topic gained are used after this time at the latest. */
const LOOK_AGAIN_MS = 60_000;
/** Kafka's own limit (`org.apache.kafka.common.internals.Topic`). */
const MAX_TOPIC_CHARACTERS = 249;

/**
 * Writes by an idempotent producer. While brokers are away a write does not settle: the producer goes on by itself, so that nothing is written twice, and the
 * leg shows what it waits for.
 */
export class KafkaSink implements Sink {
  readonly #options: SinkOptions;
  readonly #context: SinkContext;
  readonly #client: KafkaClient;
  readonly #partitions = new Map<string, { readonly count: number; readonly at: number }>();
  #producer: Promise<KafkaProducer> | null = null;

  constructor(options: SinkOptions, context: SinkContext) {
    this.#options = options;
    this.#context = context;
    const { clock, log } = context;
    this.#client = openKafka(options, {
      clock,
      log,
      onWait: (reason) => {
        context.waiting(reason);
      },
    });
  }

  async write(batch: RecordBatch): Promise<WriteResult> {
    try {
      const { parcels, failures } = await this.#parcels(batch);
      const producer = await (this.#producer ??= this.#open());
      const refusals = await Promise.all(parcels.map((parcel) => send(producer, parcel)));
      return { failures: [...failures, ...refusals.flat()].sort((one, other) => one.index - other.index) };
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      return { batch: { disposition: dispositionOf(error, 1), error } };
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #parcels(batch: RecordBatch): Promise<{ parcels: readonly Parcel[]; failures: readonly RecordFailure[] }> {
    const { topic, partition_by } = this.#options;
    if (topic.constant !== null) {
      await this.#look([topic.constant]);
      const count = this.#partitions.get(topic.constant)?.count;
      // It may be made by whoever reads the status; all that is written waits for it.
      if (count === undefined) throw unknownTopic(topic.constant);
      const passed = partition_by === 'source' ? passParcels(batch, topic.constant, count) : null;
      if (passed !== null) return { parcels: passed, failures: [] };
    }
    const names = this.#topicNames(batch);
    await this.#look(names.filter((name) => typeof name === 'string'));
    return buildParcels(batch, this.#options, (index) => {
      const name = names[index]!;
      if (typeof name !== 'string') return name;
      const count = this.#partitions.get(name)?.count;
      // A record that names a topic of its own must not hold back the others.
      return count === undefined ? unknownTopic(name) : { topic: name, partitions: count };
    });
  }

  /** By record; an error for one whose topic cannot be rendered. */
  #topicNames(batch: RecordBatch): (string | SluiceError)[] {
    const { topic } = this.#options;
    return Array.from({ length: batch.count }, (_, index) => {
      try {
        const name = topic.constant ?? topic.render(batch, index);
        if (name.length <= MAX_TOPIC_CHARACTERS) return name;
        return new SluiceError(
          'TEMPLATE_ESCAPED',
          `rendering the topic: "${name}" is too long, topics have ${MAX_TOPIC_CHARACTERS} characters at most`,
        );
      } catch (error) {
        if (error instanceof SluiceError) return error;
        throw error;
      }
    });
  }

  /** Finds out how many partitions these topics have, unless that is known; what the cluster does not have is not in `#partitions` then. */
  async #look(topics: readonly string[]): Promise<void> {
    const { clock, signal } = this.#context;
    const now = clock.monotonic();
    const stale = new Set(topics);
    for (const topic of stale) {
      const known = this.#partitions.get(topic);
      if (known !== undefined && now - known.at < LOOK_AGAIN_MS) stale.delete(topic);
    }
    if (stale.size === 0) return;
    const found = await this.#client.topics([...stale], signal);
    for (const topic of stale) this.#partitions.delete(topic);
    for (const { name, partitions } of found) this.#partitions.set(name, { count: partitions.length, at: now });
  }

  #open(): Promise<KafkaProducer> {
    const opening = this.#client.openProducer({ signal: this.#context.signal });
    opening.catch(() => {
      this.#producer = null;
    });
    return opening;
  }
}

function unknownTopic(topic: string): SluiceError {
  return new SluiceError('TOPIC_UNKNOWN', `writing to topic "${topic}": the cluster has no such topic`);
}

async function send(producer: KafkaProducer, parcel: Parcel): Promise<RecordFailure[]> {
  try {
    await producer.send(parcel.topic, parcel.partition, parcel.bytes);
    return [];
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const disposition = dispositionOf(error, parcel.count);
    return parcel.indexes().map((index) => ({ index, disposition, error }));
  }
}

function dispositionOf(error: SluiceError, records: number): Disposition {
  switch (error.code) {
    case 'RECORD_TOO_LARGE':
    case 'RECORD_CORRUPT':
    case 'KAFKA_REFUSED':
      return records === 1 ? 'reject' : 'split';
    // It may be made by whoever writes or reads it next.
    case 'TOPIC_UNKNOWN':
    case 'KAFKA_UNREACHABLE':
    case 'KAFKA_CLOSED':
    case 'TIMEOUT':
      return 'retry';
    default:
      return error.retryable ? 'retry' : 'block';
  }
}
