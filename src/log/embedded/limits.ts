/** Sizes in bytes. Tests make them small. */
export interface LogLimits {
  /** A segment is closed before it grows beyond. */
  readonly segmentBytes: number;
  /** At least so many bytes of batches lie between two entries of an index. */
  readonly indexIntervalBytes: number;
  /** A journal is compacted when it is larger, and twice as large as its snapshot. */
  readonly journalBytes: number;
}

export const DEFAULT_LIMITS: LogLimits = {
  segmentBytes: 128 * 1024 * 1024,
  indexIntervalBytes: 4096,
  journalBytes: 4 * 1024 * 1024,
};
