import { SluiceError, type BatchBuilder, type EmitOptions, type RejectedRecord, type SourceContext } from 'sluice/api';
import { RecordView, type KafkaChunk } from 'sluice/kafka';
import { partitionKey } from './partition-progress.ts';
import { sizeOf } from './size-of.ts';
import { positionOf } from './start-offsets.ts';

/** However large a chunk is, its records are copied in portions of so much; one that is larger is a portion of its own. */
const MAX_ROOM_BYTES = 1024 * 1024;

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
      const release = (): void => {
        chunk.release();
      };
      const durable = emitSealed(chunk.bytes, { ...this.#options(chunk, chunk.next), release });
      isLent = true;
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
    const roomBytes = Math.min(chunk.bytes.length, MAX_ROOM_BYTES);
    let rejected: RejectedRecord[] = [];
    let batch = await this.#context.batch(roomBytes);
    const emit = async (next: number): Promise<void> => {
      const emitted = this.#context.emit(batch, { ...this.#options(chunk, next), rejected });
      emits.push(emitted);
      // What was refused lies in the chunk until its dead letter is written.
      if (rejected.length > 0) await emitted;
      rejected = [];
    };
    for (let index = 0; index < view.count; index++) {
      let isIn = appendTo(batch, view, index);
      while (isIn === false) {
        await emit(view.offset(index));
        // Inflated, one record may be larger than the whole chunk.
        batch = await this.#context.batch(Math.max(roomBytes, sizeOf(view, index)));
        isIn = appendTo(batch, view, index);
      }
      if (isIn === true) continue;
      const position = `${partitionKey(chunk.partition)}@${view.offset(index)}`;
      rejected.push({ value: view.value(index), error: isIn, position });
    }
    await emit(chunk.next);
    return emits;
  }

  #options({ partition }: KafkaChunk, next: number): Pick<EmitOptions, 'stream' | 'positions'> {
    const key = partitionKey(partition);
    return { stream: key, positions: [[key, positionOf(partition, next)]] };
  }
}

/** False when it does not fit any more; the error when the topic takes no record that large. */
function appendTo(batch: BatchBuilder, view: RecordView, index: number): boolean | SluiceError {
  try {
    return batch.append(view.value(index), view.key(index), Math.max(0, view.timestamp(index)), view.headers(index));
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'RECORD_TOO_LARGE') return error;
    throw error;
  }
}
