import { openClient, readChunks } from '../../../../scripts/prove/kafka/topics.ts';
import {
  bufferBytesFor,
  BufferPool,
  RecordBatchBuilder,
  RecordView,
  sealBatch,
  type KafkaClient,
  type KafkaProducer,
} from '../../../../src/kafka/index.ts';
import type { Compression } from '../../../../src/record/index.ts';

export interface Written {
  readonly value: string | null;
  readonly key?: string;
  readonly timestamp?: number;
  readonly headers?: readonly (readonly [string, string])[];
}

export interface Read {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: readonly (readonly [string, string | null])[];
}

/** What a test does at a broker beside the connectors. */
export class Cluster {
  readonly client: KafkaClient;

  constructor(brokers: string) {
    this.client = openClient(brokers);
  }

  async createTopic(name: string, partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
    await this.client.createTopic({ name, partitions, replicationFactor: 1, config });
    return name;
  }

  async produce(
    topic: string,
    partition: number,
    records: readonly Written[],
    { compression = 'none', producer }: { compression?: Compression; producer?: KafkaProducer } = {},
  ): Promise<void> {
    const used = producer ?? (await this.client.openProducer({}));
    await used.send(topic, partition, batchOf(records, compression));
    if (producer === undefined) await used.close();
  }

  /** All that read_committed sees, by partition and offset, with the bytes as they are stored. */
  async read(topic: string): Promise<{ records: Read[]; stored: Buffer[] }> {
    const [records, stored]: [Read[], Buffer[]] = [[], []];
    await readChunks(this.client, topic, (view, { bytes }) => {
      records.push(...Array.from({ length: view.count }, (_, index) => recordOf(view, index)));
      stored.push(Buffer.from(bytes));
    });
    records.sort((one, other) => one.partition - other.partition || one.offset - other.offset);
    return { records, stored };
  }

  async values(topic: string): Promise<(string | null)[]> {
    return (await this.read(topic)).records.map(({ value }) => value);
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

function batchOf(records: readonly Written[], compression: Compression): Buffer {
  const bytes = records.reduce((sum, record) => sum + bytesOf(record), 0);
  const buffer = new BufferPool({ budgetBytes: bytes, bufferBytes: bytes }).tryAcquire(bytes)!;
  const builder = new RecordBatchBuilder(buffer, { maxRecordBytes: bytes, now: () => Date.now() });
  for (const { value, key, timestamp, headers } of records) {
    builder.append(
      value === null ? null : Buffer.from(value),
      key === undefined ? null : Buffer.from(key),
      timestamp,
      headers?.map(([name, text]) => [name, Buffer.from(text)] as const),
    );
  }
  return sealBatch(builder, { compression });
}

/** At the most. */
function bytesOf({ value, key = '', headers = [] }: Written): number {
  const characters = headers.reduce((sum, [name, text]) => sum + name.length + text.length, key.length);
  return bufferBytesFor(((value?.length ?? 0) + characters) * 3, headers.length);
}

function recordOf(view: RecordView, index: number): Read {
  return {
    partition: view.runs[0]!.partition,
    offset: view.offset(index),
    key: textOf(view.key(index)),
    value: textOf(view.value(index)),
    timestamp: view.timestamp(index),
    headers: [...view.headers(index)].map(([name, value]) => [name, textOf(value)] as const),
  };
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}
