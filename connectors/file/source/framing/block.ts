import type { BatchBuilder, RejectedRecord } from 'sluice/api';

export type BlockEnd =
  /** There is more in the file. */
  | 'more'
  /** Read to its end, or to its limit. */
  | 'end';

/** Where in a file and in the buffer a block stands. */
export interface BlockPlace {
  /** The byte of the file at index 0. */
  readonly from: number;
  /** What was not taken yet is [start, end) of the bytes. */
  readonly start: number;
  readonly end: number;
  /** The record limit. */
  readonly max: number;
  readonly timestamp: number;
}

/** The part of a file that was read at once. */
export interface Block {
  /** Up to here it was taken, as an index of the bytes. */
  readonly at: number;
  /** Not even one record fits into the buffer. */
  readonly isTooSmall: boolean;
  /** Of the record that did not fit into the batch: so much it holds, at most. */
  readonly recordBytes: number;
  readonly rejected: readonly RejectedRecord[];
  /** Appends what counts as records. Null when the batch is full before the end of the block; taken up again by the next call. */
  takeInto(batch: BatchBuilder): BlockEnd | null;
}
