import type { SealedBatch } from '../log/index.ts';
import { bufferBytesFor, type BufferPool, type Compression } from '../record/index.ts';
import { ID_HEADER, type DeadLetterTarget } from './dead-letter.ts';
import { RegionPlan } from './regions.ts';
import type { StoredDeadLetter } from './stored-dead-letter.ts';

export interface WriteLettersOptions {
  readonly target: DeadLetterTarget;
  readonly compression: Compression;
  readonly pool: BufferPool;
  readonly signal: AbortSignal;
  /** The batches are the caller's again once it settles. */
  readonly commit: (batches: readonly SealedBatch[]) => Promise<void>;
}

/** Writes dead letters once more, as they are: into another topic, or behind the others. Those without a place of their own keep their id. */
export async function writeLetters(letters: readonly StoredDeadLetter[], options: WriteLettersOptions): Promise<void> {
  const { target, compression, pool, signal, commit } = options;
  const plan = new RegionPlan();
  const moved = letters.map((letter) => {
    const headers = headersOf(letter);
    let bytes = (letter.key?.length ?? 0) + (letter.value?.length ?? 0);
    for (const [name, value] of headers) bytes += Buffer.byteLength(name) + (value?.length ?? 0);
    const partition = letter.stored.partition % target.partitions;
    return { letter, headers, region: plan.reserve(target, partition, bufferBytesFor(bytes, headers.length)) };
  });
  const regionCount = plan.close();
  const regions = await plan.open(pool, signal);
  try {
    for (const { letter, headers, region } of moved)
      regions.builder(region).append(letter.value, letter.key, letter.timestamp, headers);
    await commit(regions.seal(0, regionCount, compression));
  } finally {
    regions.release();
  }
}

function headersOf({ origin, id, headers }: StoredDeadLetter): StoredDeadLetter['headers'] {
  if (origin !== null || headers.some(([name]) => name === ID_HEADER)) return headers;
  return [...headers, [ID_HEADER, Buffer.from(id)]];
}
