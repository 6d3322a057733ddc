import { describeError, SluiceError, type Clock, type Logger } from '../../api/index.ts';
import type { KafkaClient, KafkaTopic, NewKafkaTopic } from '../../kafka/index.ts';
import type { SealedBatch, TopicDescription } from '../topic-log.ts';
import { createdTopic } from './created-topic.ts';
import { hasCode } from './log-errors.ts';
import type { KafkaLogPlan, KafkaLogTopic } from './options.ts';

/** Of a batch around its largest record, and of a dead letter's headers around its record. */
const BATCH_ROOM_BYTES = 1024;
const DEAD_LETTER_ROOM_BYTES = 32 * 1024;
/** What the engine fills batches up to, whatever the records' size. */
const LEAST_BATCH_BYTES = 1024 * 1024;
/** A topic that an operator deletes is often made again by the operator: for so long nobody else does. */
const GONE_MS = 10_000;
const DEAD_LETTER_PARTITIONS = 1;

export interface TopicTableOptions {
  readonly client: KafkaClient;
  readonly plan: KafkaLogPlan;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Learnt {
  readonly description: TopicDescription;
  readonly config: ReadonlyMap<string, string> | null;
}

/** The topics of one pipeline, as they are on the cluster. */
export class TopicTable {
  readonly #options: TopicTableOptions;
  readonly #known = new Map<string, TopicDescription>();
  readonly #goneSince = new Map<string, number>();

  constructor(options: TopicTableOptions) {
    this.#options = options;
  }

  /** Creates what is missing. Throws `TOPIC_UNKNOWN` (retryable) when the topic is somebody else's and is not there. */
  async open(signal: AbortSignal): Promise<void> {
    const { plan, client } = this.#options;
    const { topic, deadLetter, sources } = plan;
    if (sources.length > 0) await this.#openOwn(topic, signal);
    else {
      const [found] = await client.topics([topic.name], signal);
      if (found === undefined)
        throw new SluiceError(
          'TOPIC_UNKNOWN',
          `opening pipeline "${plan.pipeline}": waiting for topic "${topic.name}", which another pipeline or program has to create`,
          { retryable: true },
        );
      this.#keep(found, null);
    }
    for (const name of [deadLetter?.topic, deadLetter?.parked])
      if (name !== undefined) await this.#learn(await this.#create(deadLetterTopic(name, topic), signal), signal);
  }

  /** Throws `TOPIC_UNKNOWN`. */
  describe(name: string): TopicDescription {
    const known = this.#known.get(name);
    if (known === undefined)
      throw new SluiceError('TOPIC_UNKNOWN', `describing topic "${name}": this pipeline has none of that name`);
    return known;
  }

  /** Throws `TOPIC_UNKNOWN`. */
  assertTargets(batches: readonly Pick<SealedBatch, 'topic' | 'partition'>[]): void {
    for (const { topic, partition } of batches)
      if (partition >= this.describe(topic).partitions)
        throw new SluiceError('TOPIC_UNKNOWN', `writing to topic "${topic}": it has no partition ${partition}`);
  }

  /** Looks again; null while the topic is gone. One that stays away and is this pipeline's to write is created again. */
  async refresh(name: string, signal: AbortSignal): Promise<TopicDescription | null> {
    const { client, clock, log } = this.#options;
    const [found] = await client.topics([name], signal);
    if (found !== undefined) {
      this.#goneSince.delete(name);
      return (await this.#learn(found, signal)).description;
    }
    const since = this.#goneSince.get(name) ?? clock.monotonic();
    this.#goneSince.set(name, since);
    const wanted = this.#wanted(name);
    if (wanted === null || clock.monotonic() - since < GONE_MS) return null;
    log.warn({ topic: name }, 'topic was deleted, creating it again');
    return (await this.#learn(await this.#create(wanted, signal), signal)).description;
  }

  async #openOwn(topic: KafkaLogTopic, signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    const found = await this.#create(pipelineTopic(topic), signal);
    const { config } = await this.#learn(found, signal);
    const partitions = found.partitions.length;
    if (partitions !== topic.partitions)
      log.warn(
        { topic: topic.name, partitions, configured: topic.partitions },
        'topic has another number of partitions than the pipeline says, using its own',
      );
    if (config !== null) this.#checkSettings(topic, found, config);
  }

  #checkSettings(
    { name, maxRecordBytes }: KafkaLogTopic,
    found: KafkaTopic,
    config: ReadonlyMap<string, string>,
  ): void {
    const { log } = this.#options;
    const replicas = found.partitions[0]?.replicas ?? 1;
    if (replicas > 1 && config.get('min.insync.replicas') === '1')
      log.warn(
        { topic: name, replicas },
        'acknowledged records may be lost with one broker: min.insync.replicas of the topic is 1',
      );
    // The few bytes around a record at the very limit are no reason to warn of every topic with a broker's default.
    const takes = takenBy(config);
    if (takes < maxRecordBytes)
      log.warn(
        { topic: name, takes, needed: batchBytes(maxRecordBytes) },
        'topic takes less than the pipeline may write, larger records become dead letters: raise max.message.bytes of the topic or lower max_record',
      );
  }

  #create(wanted: NewKafkaTopic, signal: AbortSignal): Promise<KafkaTopic> {
    const { client, clock, log } = this.#options;
    return createdTopic(wanted, { client, clock, log, signal });
  }

  #wanted(name: string): NewKafkaTopic | null {
    const { topic, deadLetter, sources } = this.#options.plan;
    if (name === deadLetter?.topic || name === deadLetter?.parked) return deadLetterTopic(name, topic);
    return sources.length > 0 && name === topic.name ? pipelineTopic(topic) : null;
  }

  /** Keeps it with what it takes. Its settings, or null where they may not be looked at. */
  async #learn(found: KafkaTopic, signal: AbortSignal): Promise<Learnt> {
    const { client, log } = this.#options;
    let config: ReadonlyMap<string, string> | null = null;
    try {
      config = await client.topicConfig(found.name, signal);
    } catch (error) {
      if (hasCode(error, 'KAFKA_DENIED'))
        log.info({ topic: found.name, cause: describeError(error) }, 'settings of the topic may not be looked at');
      // Deleted since it was found: whoever uses it is told.
      else if (!hasCode(error, 'TOPIC_UNKNOWN')) throw error;
    }
    return { description: this.#keep(found, config), config };
  }

  #keep({ name, incarnation, partitions }: KafkaTopic, config: ReadonlyMap<string, string> | null): TopicDescription {
    const maxBatchBytes = config === null ? Infinity : takenBy(config);
    const description = { name, incarnation, partitions: partitions.length, maxBatchBytes };
    this.#known.set(name, description);
    return description;
  }
}

function takenBy(config: ReadonlyMap<string, string>): number {
  return Number(config.get('max.message.bytes') ?? Infinity);
}

export function pipelineTopic(topic: KafkaLogTopic): NewKafkaTopic {
  return {
    name: topic.name,
    partitions: topic.partitions,
    replicationFactor: topic.replicationFactor ?? -1,
    config: {
      'retention.ms': `${topic.retentionMs}`,
      'max.message.bytes': `${batchBytes(topic.maxRecordBytes)}`,
      ...topic.config,
    },
  };
}

/** Keeps everything until somebody deletes it. */
export function deadLetterTopic(name: string, { replicationFactor, maxRecordBytes }: KafkaLogTopic): NewKafkaTopic {
  return {
    name,
    partitions: DEAD_LETTER_PARTITIONS,
    replicationFactor: replicationFactor ?? -1,
    config: {
      'retention.ms': '-1',
      'max.message.bytes': `${batchBytes(maxRecordBytes + DEAD_LETTER_ROOM_BYTES)}`,
    },
  };
}

function batchBytes(maxRecordBytes: number): number {
  return Math.max(LEAST_BATCH_BYTES, maxRecordBytes + BATCH_ROOM_BYTES);
}
