import type { SealedBatch } from '../log/index.ts';
import {
  BATCH_HEADER_BYTES,
  RecordBatchBuilder,
  sealBatch,
  type BufferPool,
  type Compression,
  type PooledBuffer,
} from '../record/index.ts';

/**
 * The records of a batch take no more, so that readers with small buffers can take it and, with its header, brokers by their default (`message.max.bytes`,
 * 1,048,588); a single record may.
 */
export const MAX_BATCH_BYTES = 1024 * 1024;

export interface RegionTopic {
  readonly topic: string;
  readonly maxBatchBytes: number;
}

interface Region {
  readonly topic: string;
  readonly partition: number;
  bytes: number;
}

/**
 * Plans copies into new batches, so that one buffer can be asked for all of them: whoever copies still holds the originals, and asking piece by piece
 * could wait for itself.
 */
export class RegionPlan {
  readonly #regions: Region[] = [];
  readonly #open = new Map<string, Map<number, number>>();
  #totalBytes = 0;

  /** The number of the region that `bytes` more (an upper bound) of this partition go to. `maxBatchBytes`: what the topic takes. */
  reserve({ topic, maxBatchBytes }: RegionTopic, partition: number, bytes: number): number {
    let ofTopic = this.#open.get(topic);
    if (ofTopic === undefined) this.#open.set(topic, (ofTopic = new Map<number, number>()));
    let index = ofTopic.get(partition);
    if (index === undefined || this.#regions[index]!.bytes + bytes > Math.min(MAX_BATCH_BYTES, maxBatchBytes)) {
      index = this.#regions.push({ topic, partition, bytes: BATCH_HEADER_BYTES }) - 1;
      this.#totalBytes += BATCH_HEADER_BYTES;
      ofTopic.set(partition, index);
    }
    this.#regions[index]!.bytes += bytes;
    this.#totalBytes += bytes;
    return index;
  }

  /** What comes next does not join the regions so far. Returns the number of the next region. */
  close(): number {
    this.#open.clear();
    return this.#regions.length;
  }

  /** From the reserve: what would free other buffers must not wait for them. */
  async open(pool: BufferPool, signal: AbortSignal): Promise<OpenRegions> {
    if (this.#regions.length === 0) return new OpenRegions([], null);
    return new OpenRegions(this.#regions, await pool.acquire(this.#totalBytes, signal, true));
  }
}

export class OpenRegions {
  readonly #regions: readonly Region[];
  readonly #buffer: PooledBuffer | null;
  readonly #builders: readonly RecordBatchBuilder[];

  constructor(regions: readonly Region[], buffer: PooledBuffer | null) {
    this.#regions = regions;
    this.#buffer = buffer;
    let at = 0;
    this.#builders = regions.map(({ bytes }) => {
      const part = buffer!.bytes.subarray(at, (at += bytes));
      // The limit was held when the record came in; a dead letter's headers may go beyond it.
      return new RecordBatchBuilder(
        { bytes: part, release: () => undefined },
        { maxRecordBytes: Infinity, now: () => 0 },
      );
    });
  }

  builder(region: number): RecordBatchBuilder {
    return this.#builders[region]!;
  }

  /** Of the regions [from, to) those with records. Valid until `release`. */
  seal(from: number, to: number, compression: Compression): SealedBatch[] {
    const sealed: SealedBatch[] = [];
    for (let index = from; index < to; index++) {
      const builder = this.#builders[index]!;
      const { topic, partition } = this.#regions[index]!;
      if (builder.count > 0) {
        sealed.push({ topic, partition, bytes: sealBatch(builder, { compression }), count: builder.count });
      }
    }
    return sealed;
  }

  release(): void {
    this.#buffer?.release();
  }
}
