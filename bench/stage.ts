/** What a system needs around it for one run. */
export interface Stage<Task> {
  readonly task: Task;
  /** Makes the input appear for a daemon that waits for it. Null where the input is there before the start. */
  readonly feed: (() => Promise<void>) | null;
  /** How many of `expected` records the target holds. */
  readonly arrived: () => Promise<number>;
  /** What the target holds in the end. */
  readonly expected: number;
  /** Records that went through, which the figures count. */
  readonly records: number;
  readonly close: () => Promise<void>;
}

export interface Measurement {
  readonly recordsPerSecond: number;
  /** From the first to the last record, without the start-up. */
  readonly cpuSecondsPerMillion: number;
  readonly startupCpuSeconds: number;
  readonly peakRssMegabytes: number;
  /** What only this path measures, by names with their unit: `latency_p99_ms`. */
  readonly more?: Readonly<Record<string, number>>;
}
