import { SluiceError } from '../../api/index.ts';
import type { KafkaClient, KafkaReader } from '../../kafka/index.ts';
import { BufferPool } from '../../record/index.ts';

const FETCH_BYTES = 1024 * 1024;

/** What is committed in a range of offsets, as it is stored; each buffer is the caller's until the next is asked for. */
export async function* readPartition(
  client: KafkaClient,
  range: { readonly topic: string; readonly partition: number; readonly from: number; readonly to: number },
): AsyncGenerator<Buffer> {
  const { topic, partition, from, to } = range;
  if (from >= to) return;
  const never = new AbortController().signal;
  const pool = new BufferPool({ budgetBytes: 4 * FETCH_BYTES, bufferBytes: FETCH_BYTES });
  const reader = client.openReader({ isolation: 'read_committed', pool, fetchBytes: FETCH_BYTES });
  try {
    reader.seek(topic, partition, from);
    for (let at = from; at < to;) {
      const step = await nextChunk(reader, topic, never);
      if (step === null) return;
      try {
        if (step.bytes.length > 0) yield step.bytes;
      } finally {
        step.release();
      }
      at = step.next;
    }
  } finally {
    await reader.close();
  }
}

async function nextChunk(
  reader: KafkaReader,
  topic: string,
  signal: AbortSignal,
): Promise<{ bytes: Buffer; next: number; release: () => void } | null> {
  const event = await reader.next(signal);
  if (event?.type === 'chunk') {
    const { chunk } = event;
    return {
      bytes: chunk.bytes,
      next: chunk.next,
      release: () => {
        chunk.release();
      },
    };
  }
  if (event?.type === 'out-of-range') {
    // Retention was faster.
    const { partition, earliest, latest } = event;
    if (earliest >= latest) return null;
    reader.seek(topic, partition.partition, earliest);
    return { bytes: Buffer.alloc(0), next: earliest, release: () => undefined };
  }
  throw new SluiceError('LOG_IO', `reading topic "${topic}": it was deleted meanwhile`, { retryable: true });
}
