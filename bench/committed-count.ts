import { BufferPool, type KafkaClient, type KafkaReader } from '../src/kafka/index.ts';
import { readBatchHeader } from '../src/record/index.ts';

const FETCH_BYTES = 1024 * 1024;

/** How many records of a topic read_committed sees: offsets tell it nowhere, since each end of a transaction takes one. */
export class CommittedCount {
  records = 0;
  readonly #reader: KafkaReader;
  readonly #over = new AbortController();
  readonly #reading: Promise<void>;

  constructor(client: KafkaClient, topic: string, partitions: number) {
    const pool = new BufferPool({ budgetBytes: 16 * FETCH_BYTES, bufferBytes: FETCH_BYTES });
    this.#reader = client.openReader({ isolation: 'read_committed', pool, fetchBytes: FETCH_BYTES });
    for (let partition = 0; partition < partitions; partition++) this.#reader.seek(topic, partition, 0);
    this.#reading = this.#read();
    this.#reading.catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#reader.close();
    await this.#reading.catch(() => undefined);
  }

  async #read(): Promise<void> {
    const { signal } = this.#over;
    for (let event = await this.#reader.next(signal); event !== null; event = await this.#reader.next(signal)) {
      if (event.type !== 'chunk') throw new Error(`counting a topic: ${event.type}`);
      const { bytes } = event.chunk;
      for (let at = 0; at < bytes.length;) {
        const { byteLength, count } = readBatchHeader(bytes, at);
        this.records += count;
        at += byteLength;
      }
      event.chunk.release();
    }
  }
}
