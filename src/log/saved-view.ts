import type { Position } from '../api/index.ts';

/** A topic as somebody from outside sees it. */
export interface SavedTopic {
  readonly name: string;
  readonly incarnation: string;
  readonly partitions: number;
  /** The pipeline that writes it; '' when that is not known. */
  readonly owner: string;
  /** By partition: the first offset that is still there. */
  readonly starts: readonly number[];
  /** By partition: the offset after the last visible record. */
  readonly ends: readonly number[];
}

/** Where the legs of a pipeline stand. */
export interface PipelineView {
  readonly pipeline: string;
  readonly sources: readonly { readonly source: string; readonly partition: string; readonly position: Position }[];
  readonly sinks: readonly {
    readonly sink: string;
    readonly topic: string;
    readonly incarnation: string;
    readonly partition: number;
    readonly next: number;
    readonly reset: number;
  }[];
}

/** What is saved of a hub, as of one moment, wherever its topics live: for commands. */
export interface SavedView {
  readonly topics: readonly SavedTopic[];
  readonly pipelines: readonly PipelineView[];
  /**
   * Whole stored batches, in order, with the records from `from` on and below `to`; the first and the last may hold some more. By default everything that was visible.
   * Throws `TOPIC_UNKNOWN`.
   */
  read(
    topic: string,
    partition: number,
    options?: { readonly from?: number; readonly to?: number },
  ): AsyncIterable<Buffer>;
  /** The offset of the first record with this time or a later one; the end of the partition when there is none. Throws `TOPIC_UNKNOWN`. */
  offsetAt(topic: string, partition: number, timestampMs: number): Promise<number>;
}
