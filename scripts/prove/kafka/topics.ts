import {
  BufferPool,
  openKafka,
  RecordBatchBuilder,
  RecordView,
  sealBatch,
  type KafkaChunk,
  type KafkaClient,
  type KafkaSettings,
} from '../../../src/kafka/index.ts';
import { createLogger, realClock } from '../../../src/telemetry/index.ts';

const FETCH_BYTES = 1024 * 1024;

/** A client of the proof's own, beside the hub. */
export function openClient(brokers: string, settings: Partial<KafkaSettings> = {}): KafkaClient {
  const client: KafkaSettings['client'] = {
    id: 'proof',
    connect_timeout: 10_000,
    request_timeout: 30_000,
    session_timeout: 8000,
    heartbeat_interval: 2000,
    transaction_timeout: 60_000,
    group_protocol: 'classic',
  };
  const log = createLogger({ level: 'error', destination: process.stderr, pretty: false, json: false });
  return openKafka(
    { brokers: brokers.split(','), tls: false, client, driver: 'native', ...settings },
    { clock: realClock, log },
  );
}

/** The ends of the partitions that read_committed sees, by number. */
export async function endsOf(client: KafkaClient, topic: string): Promise<readonly number[]> {
  const ends = await client.offsets(topic, 'stable');
  return [...ends].sort(([one], [other]) => one - other).map(([, end]) => end);
}

/** Hands every record of a topic to `take`, partition by partition in order, up to the ends of now. */
export async function readAll(
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

/** Produces these values to a partition, by Sluice's own client. */
export async function produce(
  client: KafkaClient,
  topic: string,
  partition: number,
  values: readonly string[],
): Promise<void> {
  const producer = await client.openProducer({});
  const bytes = values.reduce((sum, value) => sum + value.length * 3 + 40, 1024);
  const buffer = new BufferPool({ budgetBytes: bytes, bufferBytes: bytes }).tryAcquire(bytes)!;
  const builder = new RecordBatchBuilder(buffer, { maxRecordBytes: bytes, now: () => Date.now() });
  for (const value of values) builder.append(Buffer.from(value));
  await producer.send(topic, partition, sealBatch(builder, { compression: 'none' }));
  await producer.close();
}
