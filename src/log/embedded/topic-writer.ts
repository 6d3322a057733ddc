import { SluiceError } from '../../api/index.ts';
import type { SealedBatch } from '../topic-log.ts';
import type { FileSystem } from './file-system.ts';
import type { JournalState } from './journal-state.ts';
import { EMPTY_PARTITION } from './journal-state.ts';
import type { LogLimits } from './limits.ts';
import type { TopicLogState } from './log-state.ts';
import { PartitionWriter } from './partition-writer.ts';
import { partitionFolder } from './paths.ts';

/** A segment is small against the whole topic, so that retention has something to take. */
const SEGMENTS_PER_PARTITION = 8;
const MIN_SEGMENT_BYTES = 4096;

export interface TopicWriterOptions {
  readonly fileSystem: FileSystem;
  readonly dataDir: string;
  readonly topic: TopicLogState;
  readonly journal: JournalState;
  readonly limits: LogLimits;
  /** The offset that retention may not pass. */
  readonly floor: (partition: number) => number;
}

/** The partitions of a topic that this pipeline writes, and what of them may be given up. */
export class TopicWriter {
  readonly topic: TopicLogState;
  readonly partitions: readonly PartitionWriter[];
  readonly #floor: (partition: number) => number;
  /** What a commit that was refused for want of room needed. */
  #refusedBytes = 0;

  private constructor({ topic, floor }: TopicWriterOptions, partitions: readonly PartitionWriter[]) {
    this.topic = topic;
    this.#floor = floor;
    this.partitions = partitions;
  }

  static async open(options: TopicWriterOptions): Promise<TopicWriter> {
    const { fileSystem, dataDir, topic, journal, limits } = options;
    const ends = journal.ends.get(topic.id) ?? [];
    const partitions = await Promise.all(
      Array.from({ length: topic.partitions }, (_, partition) =>
        PartitionWriter.open({
          fileSystem,
          folder: partitionFolder(dataDir, topic.name, partition),
          committed: ends[partition] ?? EMPTY_PARTITION,
          limits: { ...limits, segmentBytes: segmentBytesFor(topic, limits) },
        }),
      ),
    );
    return new TopicWriter(options, partitions);
  }

  get bytes(): number {
    let bytes = 0;
    for (const { segments } of this.partitions) for (const segment of segments) bytes += segment.bytes;
    return bytes;
  }

  /** False while what was refused last would be refused again. */
  get hasRoom(): boolean {
    return this.#refusedBytes === 0 || this.bytes - this.#releasable() + this.#refusedBytes <= this.#maxBytes;
  }

  /** Null when there is room for so many bytes, as soon as `stageRetention` took what it may. */
  refusal(bytes: number): SluiceError | null {
    this.#refusedBytes = 0;
    const excess = this.bytes + bytes - this.#maxBytes;
    if (excess <= 0 || excess <= this.#releasable() || this.#mayExceed()) return null;
    this.#refusedBytes = bytes;
    const why =
      this.topic.retention?.kind === 'dead_letter' ? 'the dead letters reached' : 'a sink still needs what fills';
    const message = `writing to topic "${this.topic.name}": ${why} its ${this.#maxBytes} bytes`;
    return new SluiceError('LOG_FULL', message, { retryable: true });
  }

  /** Gives up the oldest records until there is room for so many bytes, as far as sinks let go of them. */
  stageRoomFor(bytes: number): void {
    if (this.topic.retention?.kind !== 'topic') return;
    for (let excess = this.bytes + bytes - this.#maxBytes; excess > 0;) {
      const taken = this.#stageLargest();
      if (taken === 0) return;
      excess -= taken;
    }
  }

  /** Gives up segments whose records are all older, as far as sinks let go of them. */
  async stageExpired(now: number): Promise<void> {
    const { retention } = this.topic;
    if (retention?.kind !== 'topic') return;
    for (const [partition, writer] of this.partitions.entries()) {
      for (;;) {
        const segment = writer.segments.find(({ base }) => base >= writer.staged.start);
        if (segment === undefined || segment.bytes === 0) break;
        const largest = await writer.largestTimestamp(segment);
        if (largest >= now - retention.maxMs || this.#stageOldest(partition) === 0) break;
      }
    }
  }

  stage(batch: SealedBatch): void {
    this.partitions[batch.partition]!.stage(batch);
  }

  async close(): Promise<void> {
    await Promise.all(this.partitions.map((partition) => partition.close()));
  }

  get #maxBytes(): number {
    return this.topic.retention?.maxBytes ?? Infinity;
  }

  /** No sink waits for anything: the newest segment may make the topic a little larger than it should be. */
  #mayExceed(): boolean {
    if (this.topic.retention?.kind !== 'topic') return false;
    return this.partitions.every((_, partition) => this.#floor(partition) === Infinity);
  }

  /** Bytes of what may be given up. */
  #releasable(): number {
    if (this.topic.retention?.kind !== 'topic') return 0;
    let bytes = 0;
    for (const [partition, { segments, committed }] of this.partitions.entries()) {
      const floor = this.#floor(partition);
      for (const [index, segment] of segments.entries()) {
        const end = segments[index + 1]?.base ?? committed.end;
        if (end <= floor) bytes += segment.bytes;
      }
    }
    return bytes;
  }

  /** Of the partition that has most to give. Returns the bytes that will be free. */
  #stageLargest(): number {
    const sizes = this.partitions.map((writer, partition) => {
      const oldest = writer.segments.find(({ base }) => base >= writer.staged.start);
      return oldest !== undefined && this.#endOfOldest(partition) <= this.#floor(partition) ? oldest.bytes : 0;
    });
    const largest = Math.max(...sizes);
    return largest === 0 ? 0 : this.#stageOldest(sizes.indexOf(largest));
  }

  #stageOldest(partition: number): number {
    const writer = this.partitions[partition]!;
    const oldest = writer.segments.find(({ base }) => base >= writer.staged.start);
    const end = this.#endOfOldest(partition);
    if (oldest === undefined || end > this.#floor(partition)) return 0;
    if (oldest === writer.segments.at(-1)) writer.roll();
    writer.stageStart(end);
    return oldest.bytes;
  }

  /** The offset behind the oldest segment that is not given up yet. */
  #endOfOldest(partition: number): number {
    const { segments, staged } = this.partitions[partition]!;
    const index = segments.findIndex(({ base }) => base >= staged.start);
    return segments[index + 1]?.base ?? staged.end;
  }
}

function segmentBytesFor({ retention, partitions }: TopicLogState, { segmentBytes }: LogLimits): number {
  if (retention === null) return segmentBytes;
  const share = Math.ceil(retention.maxBytes / partitions / SEGMENTS_PER_PARTITION);
  return Math.min(segmentBytes, Math.max(MIN_SEGMENT_BYTES, share));
}
