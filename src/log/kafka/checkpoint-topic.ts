import { SluiceError, type Clock, type Json, type Logger } from '../../api/index.ts';
import type { KafkaClient, KafkaChunk, KafkaReader, NewKafkaTopic } from '../../kafka/index.ts';
import { BufferPool, partitionForKey, RecordView } from '../../record/index.ts';
import { decodeCheckpoint } from './checkpoint-record.ts';
import { createdTopic } from './created-topic.ts';

export const CHECKPOINT_TOPIC = '__sluice_checkpoints';

/** For good: the partition of a key hangs on it. */
const PARTITIONS = 8;
const FETCH_BYTES = 1024 * 1024;
const CONFIG = {
  'cleanup.policy': 'compact',
  // Only closed segments are compacted, and whoever starts reads what is not.
  'segment.bytes': `${16 * 1024 * 1024}`,
  'segment.ms': `${3600 * 1000}`,
  'min.cleanable.dirty.ratio': '0.1',
};

export const WANTED_CHECKPOINT_TOPIC: NewKafkaTopic = {
  name: CHECKPOINT_TOPIC,
  partitions: PARTITIONS,
  replicationFactor: -1,
  config: CONFIG,
};

interface CheckpointTopicOptions {
  readonly client: KafkaClient;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The compacted topic with the positions of all sources and the states of all sinks. All keys with one prefix are in one partition. */
export class CheckpointTopic {
  readonly #options: CheckpointTopicOptions;
  readonly #partitions: number;

  constructor(options: CheckpointTopicOptions, partitions: number) {
    this.#options = options;
    // Partitions that somebody adds later stay empty.
    this.#partitions = Math.min(partitions, PARTITIONS);
  }

  /** Creates the topic when it is missing; of several hubs that try, one does. */
  static async open(options: CheckpointTopicOptions, signal: AbortSignal): Promise<CheckpointTopic> {
    const { client, log } = options;
    const topic = await createdTopic(WANTED_CHECKPOINT_TOPIC, { ...options, signal });
    const config = await client.topicConfig(CHECKPOINT_TOPIC, signal);
    const policy = config.get('cleanup.policy') ?? '';
    if (!policy.split(',').includes('compact') || policy.includes('delete')) {
      log.warn({ topic: CHECKPOINT_TOPIC, policy }, 'checkpoints would expire, making their topic a compacted one');
      await client.alterTopicConfig(CHECKPOINT_TOPIC, { 'cleanup.policy': 'compact' }, signal);
    }
    return new CheckpointTopic(options, topic.partitions.length);
  }

  partitionOf(prefix: string): number {
    return partitionForKey(Buffer.from(prefix), this.#partitions);
  }

  /**
   * The newest contents of the keys in the partition of `prefix` that begin with `ownPrefix`, by what follows it, as of the call.
   *
   * The end is taken first, and read_committed is read up to it. What lies behind the last stable offset waits there for transactions that are open: those
   * of other sources (a start has ended its predecessors'), which are short, or ended by the broker after their time-out. A reader hands out no control
   * batches, so whether a transaction behind that offset was committed could not be told otherwise; taking it as either would lose or repeat records.
   */
  read(prefix: string, ownPrefix: string, signal: AbortSignal): Promise<Map<string, Json>> {
    return this.#readPartition(this.partitionOf(prefix), ownPrefix, signal);
  }

  /** The same of all partitions: for prefixes that are shorter than what decides on the partition. */
  async readAll(ownPrefix: string, signal: AbortSignal): Promise<Map<string, Json>> {
    const found = new Map<string, Json>();
    for (let partition = 0; partition < this.#partitions; partition++)
      for (const [key, content] of await this.#readPartition(partition, ownPrefix, signal)) found.set(key, content);
    return found;
  }

  async #readPartition(partition: number, ownPrefix: string, signal: AbortSignal): Promise<Map<string, Json>> {
    const { client } = this.#options;
    const of = { partitions: [partition], signal };
    const end = (await client.offsets(CHECKPOINT_TOPIC, 'latest', of)).get(partition)!;
    const start = (await client.offsets(CHECKPOINT_TOPIC, 'earliest', of)).get(partition)!;
    const found = new Map<string, Json>();
    if (start >= end) return found;
    const pool = new BufferPool({ budgetBytes: 4 * FETCH_BYTES, bufferBytes: FETCH_BYTES });
    const reader = client.openReader({ isolation: 'read_committed', pool, fetchBytes: FETCH_BYTES });
    try {
      reader.seek(CHECKPOINT_TOPIC, partition, start);
      const keys = new KeyFilter(Buffer.from(ownPrefix), found);
      for (let at = start; at < end;) at = await readOn(reader, keys, signal);
    } finally {
      await reader.close();
    }
    return found;
  }
}

/** Returns the offset to read on from. */
async function readOn(reader: KafkaReader, keys: KeyFilter, signal: AbortSignal): Promise<number> {
  const event = await reader.next(signal);
  signal.throwIfAborted();
  if (event?.type === 'chunk') return keys.take(event.chunk);
  if (event?.type === 'out-of-range') {
    // Cleaned away meanwhile.
    reader.seek(CHECKPOINT_TOPIC, event.partition.partition, event.earliest);
    return event.earliest;
  }
  throw new SluiceError('LOG_IO', `reading topic "${CHECKPOINT_TOPIC}": it was deleted meanwhile`, { retryable: true });
}

class KeyFilter {
  readonly #prefix: Buffer;
  readonly #found: Map<string, Json>;
  readonly #view = new RecordView({ decode: (bytes) => bytes });

  constructor(prefix: Buffer, found: Map<string, Json>) {
    this.#prefix = prefix;
    this.#found = found;
  }

  take(chunk: KafkaChunk): number {
    const view = this.#view;
    try {
      view.clear();
      view.addStored(chunk.partition, chunk.bytes, chunk.from);
      for (let index = 0; index < view.count; index++) {
        const key = view.key(index);
        if (key === null || this.#prefix.compare(key, 0, Math.min(key.length, this.#prefix.length)) !== 0) continue;
        this.#keep(
          Buffer.from(key).toString(),
          view.value(index),
          `${CHECKPOINT_TOPIC}-${chunk.partition.partition}@${view.offset(index)}`,
        );
      }
      return chunk.next;
    } finally {
      chunk.release();
    }
  }

  #keep(key: string, value: Uint8Array | null, place: string): void {
    const name = key.slice(this.#prefix.toString().length);
    if (value === null) this.#found.delete(name);
    else this.#found.set(name, decodeCheckpoint(key, value, place));
  }
}
