import { SluiceError } from '../../api/index.ts';
import type { SourcePlan } from '../../config/index.ts';
import { bufferBytesFor, RecordBatchBuilder } from '../../record/index.ts';
import { EmitQueue } from '../emit-queue.ts';
import type { LegDependencies } from '../leg.ts';
import { sourceTarget } from '../source-target.ts';
import type { ReplayRecord } from './replay-record.ts';
import type { ReplayCounts } from './sink-replay.ts';
import { withinGrace } from './within-grace.ts';

const BATCH_BYTES = 256 * 1024;
/** What is emitted has no positions. */
const WITHOUT_POSITIONS = { partitionsFailApart: false, commitsLinesApart: false, rewinds: true };

export interface SourceReplayOptions {
  readonly plan: SourcePlan;
  readonly dependencies: LegDependencies;
  readonly signal: AbortSignal;
}

/** Appends what a source refused to the topic, as the source would have: under its key, for all sinks. */
export class SourceReplay {
  readonly #options: SourceReplayOptions;
  readonly #queue: EmitQueue;
  #delivered = 0;
  #refused = 0;

  constructor(options: SourceReplayOptions) {
    this.#options = options;
    const { plan, dependencies } = options;
    const { topicLog } = dependencies;
    this.#queue = new EmitQueue({
      target: sourceTarget(plan, dependencies),
      commit: (request) => topicLog.commit(request),
      ...WITHOUT_POSITIONS,
      onCommitted: ({ records, deadLetters }) => {
        this.#delivered += records;
        this.#refused += deadLetters;
      },
      onRejected: () => undefined,
    });
  }

  get counts(): ReplayCounts {
    return { delivered: this.#delivered, refused: this.#refused, leftOut: 0 };
  }

  /** Resolves when all of them are in the topic, or dead letters again. Rejects with what the topic log rejects with, and with the signal's reason. */
  async write(records: readonly ReplayRecord[]): Promise<void> {
    const { signal, dependencies } = this.#options;
    for (let first = 0; first < records.length;) {
      let [last, bytes] = [first, 0];
      while (last < records.length && (last === first || bytes + sizeOf(records[last]!) <= BATCH_BYTES))
        bytes += sizeOf(records[last++]!);
      await withinGrace(this.#emit(records.slice(first, last), bytes), signal, dependencies.clock);
      first = last;
    }
  }

  close(): Promise<void> {
    this.#queue.close(new SluiceError('SOURCE_FAILED', 'emitting: the replay is over'));
    return Promise.resolve();
  }

  async #emit(records: readonly ReplayRecord[], bytes: number): Promise<void> {
    const { signal, dependencies } = this.#options;
    const buffer = await dependencies.pool.acquire(bytes, signal);
    const release = (): void => {
      buffer.release();
    };
    // Its headers tell of its lives as a dead letter: with them it may be larger than it was.
    const builder = new RecordBatchBuilder(
      { bytes: buffer.bytes, release },
      { maxRecordBytes: Infinity, now: () => dependencies.clock.now() },
    );
    for (const { key, value, timestamp, headers } of records) builder.append(value, key, timestamp, headers);
    await this.#queue.emit(builder, {});
  }
}

function sizeOf({ key, value, headers }: ReplayRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers) bytes += Buffer.byteLength(name) + (content?.length ?? 0);
  return bufferBytesFor(bytes, headers.length);
}
