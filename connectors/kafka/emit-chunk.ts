import { SluiceError, type EmitOptions, type RejectedRecord, type SourceContext } from 'sluice/api';
import { RecordView, type KafkaChunk } from 'sluice/kafka';
import { partitionKey } from './partition-progress.ts';
import { positionOf } from './start-offsets.ts';

/** Gives chunks to the engine: as they are where nothing looks into them, else record by record. */
export class ChunkEmitter {
  readonly #context: SourceContext;
  readonly #view = new RecordView({ decode: (bytes) => bytes });

  constructor(context: SourceContext) {
    this.#context = context;
  }

  /** Takes over the chunk. Resolves when all of it is with the engine, with what resolves when all of it is durable. */
  async emit(chunk: KafkaChunk): Promise<{ readonly durable: Promise<unknown> }> {
    const view = this.#view;
    let isLent = false;
    try {
      view.addSealed(chunk.partition, chunk.bytes, chunk.from);
      const { emitSealed, maxRecordBytes } = this.#context;
      // A batch above the record limit may be more than the topic takes at once, and may hold records that are.
      const passes = view.sealed?.every(({ bytes }) => bytes.length <= maxRecordBytes) ?? false;
      if (emitSealed === null || !passes) return { durable: Promise.all(await this.#copy(chunk)) };
      isLent = true;
      const durable = emitSealed(chunk.bytes, this.#options(chunk, chunk.next)).finally(() => {
        chunk.release();
      });
      durable.catch(() => undefined);
      return { durable };
    } finally {
      view.clear();
      if (!isLent) chunk.release();
    }
  }

  async #copy(chunk: KafkaChunk): Promise<Promise<void>[]> {
    const view = this.#view;
    const emits: Promise<void>[] = [];
    let rejected: RejectedRecord[] = [];
    let batch = await this.#context.batch(chunk.bytes.length);
    for (let index = 0; index < view.count; index++) {
      try {
        const [value, key] = [view.value(index), view.key(index)];
        while (!batch.append(value, key, Math.max(0, view.timestamp(index)), view.headers(index))) {
          emits.push(this.#context.emit(batch, { ...this.#options(chunk, view.offset(index)), rejected }));
          rejected = [];
          batch = await this.#context.batch(chunk.bytes.length);
        }
      } catch (error) {
        if (!(error instanceof SluiceError) || error.code !== 'RECORD_TOO_LARGE') throw error;
        const position = `${partitionKey(chunk.partition)}@${view.offset(index)}`;
        rejected.push({ value: view.value(index), error, position });
      }
    }
    emits.push(this.#context.emit(batch, { ...this.#options(chunk, chunk.next), rejected }));
    return emits;
  }

  #options({ partition }: KafkaChunk, next: number): Pick<EmitOptions, 'stream' | 'positions'> {
    const key = partitionKey(partition);
    return { stream: key, positions: [[key, positionOf(partition, next)]] };
  }
}
