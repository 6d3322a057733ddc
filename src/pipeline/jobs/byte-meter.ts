import type { JobRange } from '../../api/index.ts';
import type { FetchedChunk } from '../../log/index.ts';
import { readBatchHeader } from '../../record/index.ts';
import type { JobTopic } from './job-topic.ts';

interface Read {
  readonly next: number;
  readonly bytes: number;
}

/** Counts the stored bytes of what waits, in whole stored batches, until they are enough for a batch of a job. */
export class ByteMeter {
  readonly #topic: JobTopic;
  readonly #maxBytes: number;
  /** By partition: what was read above its offset. */
  readonly #read = new Map<number, Read[]>();

  constructor(topic: JobTopic, maxBytes: number) {
    this.#topic = topic;
    this.#maxBytes = maxBytes;
  }

  /** `standing` as far as its bytes are known, which are `isFull` for a batch. */
  async measure(
    standing: readonly JobRange[],
    signal: AbortSignal,
  ): Promise<{ readonly ranges: readonly JobRange[]; readonly isFull: boolean }> {
    let total = 0;
    for (const { partition, from } of standing) {
      const kept = (this.#read.get(partition) ?? []).filter(({ next }) => next > from);
      this.#read.set(partition, kept);
      total += kept.reduce((sum, { bytes }) => sum + bytes, 0);
    }
    for (const range of standing) {
      const known = this.#read.get(range.partition)!;
      const rest = { ...range, from: known.at(-1)?.next ?? range.from };
      if (total >= this.#maxBytes) break;
      for await (const chunk of this.#topic.read(rest, signal)) {
        try {
          total += this.#count(chunk, known, this.#maxBytes - total);
        } finally {
          chunk.release();
        }
        if (total >= this.#maxBytes) break;
      }
    }
    const ranges = standing.map((range) => {
      const known = this.#read.get(range.partition)!.at(-1)?.next ?? range.from;
      return { ...range, to: Math.max(range.from, Math.min(range.to, known)) };
    });
    return { ranges, isFull: total >= this.#maxBytes };
  }

  /** Adds the batches of a chunk up to the one with which so many bytes are there; returns how many are. */
  #count({ bytes, next }: FetchedChunk, known: Read[], wanted: number): number {
    let counted = 0;
    for (let at = 0; at < bytes.length;) {
      const { baseOffset, lastOffsetDelta, byteLength } = readBatchHeader(bytes, at);
      known.push({ next: baseOffset + lastOffsetDelta + 1, bytes: byteLength });
      counted += byteLength;
      if (counted >= wanted) return counted;
      at += byteLength;
    }
    // What lies behind the last batch holds no records.
    known.push({ next, bytes: 0 });
    return counted;
  }
}
