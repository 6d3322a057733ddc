import {
  BufferPool,
  RecordBatchBuilder,
  RecordView,
  sealBatch,
  type KafkaChunk,
  type KafkaClient,
} from '../kafka/index.ts';

const FETCH_BYTES = 1024 * 1024;

/** Hands every record of a topic to `take`, partition by partition in order, up to the ends of now. */
export async function readTopic(
  client: KafkaClient,
  topic: string,
  take: (value: Buffer, partition: number, offset: number) => void,
): Promise<void> {
  await readChunks(client, topic, (records, { partition: { partition } }) => {
    for (let index = 0; index < records.count; index++)
      take(Buffer.from(records.value(index) ?? []), partition, records.offset(index));
  });
}

/** The same by chunks, as they are stored and with a view of their records. Both are valid within the call. */
export async function readChunks(
  client: KafkaClient,
  topic: string,
  take: (records: RecordView, chunk: KafkaChunk) => void,
): Promise<void> {
  const ends = await client.offsets(topic, 'stable');
  const starts = await client.offsets(topic, 'earliest');
  const pool = new BufferPool({ budgetBytes: 16 * FETCH_BYTES });
  const reader = client.openReader({ isolation: 'read_committed', pool, fetchBytes: FETCH_BYTES });
  const records = new RecordView({ decode: (bytes) => bytes });
  const open = new Set<number>();
  for (const [partition, end] of ends) {
    const start = starts.get(partition)!;
    if (start === end) continue;
    open.add(partition);
    reader.seek(topic, partition, start);
  }
  try {
    while (open.size > 0) {
      const event = await reader.next(AbortSignal.timeout(60_000));
      if (event === null) throw new Error(`reading ${topic}: nothing came for a minute`);
      if (event.type !== 'chunk') throw new Error(`reading ${topic}: ${event.type}`);
      const { chunk } = event;
      const { partition } = chunk.partition;
      records.addStored(chunk.partition, chunk.bytes, chunk.from);
      take(records, chunk);
      records.clear();
      chunk.release();
      if (chunk.next >= ends.get(partition)!) open.delete(partition);
    }
  } finally {
    await reader.close();
  }
}

/** Produces these values to a partition, in order. */
export async function produceValues(
  client: KafkaClient,
  topic: string,
  partition: number,
  values: readonly string[],
): Promise<void> {
  const producer = await client.openProducer({});
  try {
    await producer.send(topic, partition, sealedValues(values));
  } finally {
    await producer.close();
  }
}

/** One batch of these values, as producers take it. */
export function sealedValues(values: readonly string[]): Buffer {
  const bytes = values.reduce((sum, value) => sum + value.length * 3 + 40, 1024);
  const buffer = new BufferPool({ budgetBytes: bytes, bufferBytes: bytes }).tryAcquire(bytes)!;
  const builder = new RecordBatchBuilder(buffer, { maxRecordBytes: bytes, now: () => Date.now() });
  for (const value of values) builder.append(Buffer.from(value));
  return sealBatch(builder, { compression: 'none' });
}
