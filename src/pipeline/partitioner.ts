import { partitionForKey } from '../record/index.ts';

/** So many bytes go to one partition before `batch` turns to the next: small emits share a batch, large ones spread. */
const STICKY_BYTES = 256 * 1024;

/** Chooses the partition of what has no key. */
export class Partitioner {
  readonly #by: 'source' | 'batch';
  readonly #partitions: number;
  readonly #defaultStream: string;
  readonly #ofStream = new Map<string, number>();
  #current: number;
  #bytes = 0;

  /** `turn`: where `batch` begins, so that restarts do not all favour partition 0. */
  constructor(options: { by: 'source' | 'batch'; partitions: number; source: string; turn: number }) {
    this.#by = options.by;
    this.#partitions = options.partitions;
    this.#defaultStream = options.source;
    this.#current = Math.floor(options.turn * options.partitions) % options.partitions;
  }

  /** One file or connection stays in one partition, after a restart too, so that its order holds. */
  partitionFor(stream: string | undefined, bytes: number): number {
    if (this.#partitions === 1) return 0;
    return this.#by === 'batch' ? this.#stick(bytes) : this.#partitionOf(stream ?? this.#defaultStream);
  }

  #stick(bytes: number): number {
    if (this.#bytes >= STICKY_BYTES) {
      this.#current = (this.#current + 1) % this.#partitions;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    return this.#current;
  }

  #partitionOf(stream: string): number {
    let partition = this.#ofStream.get(stream);
    if (partition === undefined) {
      partition = partitionForKey(Buffer.from(stream), this.#partitions);
      // Connections come and go; the answer is cheap to find again.
      if (this.#ofStream.size >= 10_000) this.#ofStream.clear();
      this.#ofStream.set(stream, partition);
    }
    return partition;
  }
}
