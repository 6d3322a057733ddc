import { BufferPool, RecordView, type KafkaClient } from '../src/kafka/index.ts';

const FETCH_BYTES = 1024 * 1024;
const PATIENCE_MS = 60_000;

/** The records of a topic up to the ends of now, chunk by chunk. A view is valid until the next one is asked for. */
export async function* topicViews(client: KafkaClient, topic: string): AsyncGenerator<RecordView> {
  const ends = await client.offsets(topic, 'stable');
  const pool = new BufferPool({ budgetBytes: 16 * FETCH_BYTES });
  const reader = client.openReader({ isolation: 'read_committed', pool, fetchBytes: FETCH_BYTES });
  const view = new RecordView({ decode: (bytes) => bytes });
  const open = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
  for (const partition of open) reader.seek(topic, partition, 0);
  try {
    while (open.size > 0) {
      const event = await reader.next(AbortSignal.timeout(PATIENCE_MS));
      if (event?.type !== 'chunk') throw new Error(`reading ${topic}: ${event?.type ?? 'nothing comes'}`);
      const { chunk } = event;
      view.addStored(chunk.partition, chunk.bytes, chunk.from);
      yield view;
      view.clear();
      chunk.release();
      if (chunk.next >= ends.get(chunk.partition.partition)!) open.delete(chunk.partition.partition);
    }
  } finally {
    await reader.close();
  }
}
