import type { Clock } from '../../../src/api/index.ts';
import {
  openKafka,
  type KafkaClient,
  type KafkaProducer,
  type KafkaSettings,
  type ProducerOptions,
  type ReaderOptions,
} from '../../../src/kafka/index.ts';
import { Cluster } from '../../../src/kafka/native/cluster.ts';
import { openNativeProducer, type ProducerLimits } from '../../../src/kafka/native/producer.ts';
import { BufferPool, bufferBytesFor, RecordBatchBuilder, RecordView, sealBatch } from '../../../src/record/index.ts';
import type { Compression } from '../../../src/record/index.ts';
import { realClock } from '../../../src/telemetry/index.ts';
import { uniqueName } from '../../support/servers.ts';
import { kafkaSettings, quietLog } from './clients.ts';

/** Producers with their clusters, topics for them, and what was written there. Ended by `close`. */
export class Producing {
  readonly client: KafkaClient;
  readonly #settings: KafkaSettings;
  readonly #clusters: Cluster[] = [];

  constructor(brokers: string) {
    this.#settings = kafkaSettings({ driver: 'native', brokers: brokers.split(',') });
    this.client = openKafka(this.#settings, { clock: realClock, log: quietLog });
  }

  async topic(partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = uniqueName('producer');
    await this.client.createTopic({ name, partitions, replicationFactor: -1, config });
    return name;
  }

  /** Each on a cluster object of its own, as another process would be. */
  open(options: ProducerOptions = {}, limits: ProducerLimits = {}, clock: Clock = realClock): Promise<KafkaProducer> {
    const cluster = new Cluster({ settings: this.#settings, clock, log: quietLog });
    this.#clusters.push(cluster);
    return openNativeProducer(cluster, options, limits);
  }

  /** Waits until no transaction is open in the partition: coordinators write the ends of transactions after they answered. */
  async settled(topic: string, partition = 0): Promise<void> {
    for (;;) {
      const [stable, latest] = await Promise.all([
        this.client.offsets(topic, 'stable'),
        this.client.offsets(topic, 'latest'),
      ]);
      if (stable.get(partition) === latest.get(partition)) return;
      await realClock.sleep(20);
    }
  }

  /** The values of a partition, in order, from its start to its end, once no transaction is open in it. */
  async read(
    topic: string,
    partition = 0,
    isolation: ReaderOptions['isolation'] = 'read_committed',
  ): Promise<string[]> {
    await this.settled(topic, partition);
    const end = (await this.client.offsets(topic, 'latest')).get(partition)!;
    const start = (await this.client.offsets(topic, 'earliest')).get(partition)!;
    const pool = new BufferPool({ budgetBytes: 8 * 1024 * 1024 });
    const reader = this.client.openReader({ isolation, pool, fetchBytes: 256 * 1024 });
    const values: string[] = [];
    try {
      reader.seek(topic, partition, start);
      for (let next = start; next < end;) {
        const event = await reader.next(AbortSignal.timeout(20_000));
        if (event?.type !== 'chunk') throw new Error(`reading "${topic}": ${JSON.stringify(event)}`);
        values.push(...valuesOf(event.chunk.bytes, event.chunk.from));
        next = event.chunk.next;
        event.chunk.release();
      }
    } finally {
      await reader.close();
    }
    return values;
  }

  async close(): Promise<void> {
    await Promise.all([this.client.close(), ...this.#clusters.map((cluster) => cluster.close())]);
  }
}

export function batchOf(values: readonly string[], compression: Compression = 'none'): Buffer {
  const bytes = values.reduce((sum, value) => sum + bufferBytesFor(Buffer.byteLength(value)), 0);
  const buffer = new BufferPool({ budgetBytes: bytes, bufferBytes: bytes }).tryAcquire(bytes)!;
  const builder = new RecordBatchBuilder(buffer, { maxRecordBytes: bytes, now: () => Date.now() });
  for (const value of values) builder.append(Buffer.from(value));
  return Buffer.from(sealBatch(builder, { compression }));
}

function valuesOf(chunk: Buffer, from: number): string[] {
  const view = new RecordView({ decode: (bytes) => bytes });
  view.addStored({ topic: '', partition: 0, incarnation: '' }, chunk, from);
  return Array.from({ length: view.count }, (_, index) => Buffer.from(view.value(index)!).toString());
}
