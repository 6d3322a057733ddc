import type { Measurement } from './stage.ts';

/** What `--json` prints for each system of a path. */
export interface Row {
  readonly path: string;
  readonly system: string;
  readonly codec: string;
  readonly records_per_second: number;
  readonly cpu_seconds_per_million: number;
  readonly startup_cpu_seconds: number;
  readonly peak_rss_mb: number;
  readonly runs: number;
  /** The smallest and the largest of the runs. */
  readonly cpu_spread: readonly [number, number];
  /** What only this path measures. */
  readonly more: Readonly<Record<string, number>>;
}

/** A system without a row, and why. */
export interface Absent {
  readonly path: string;
  readonly system: string;
  readonly reason: string;
}

export interface Report {
  readonly rows: readonly Row[];
  /** This machine cannot run them. */
  readonly missing: readonly Absent[];
  /** They were run, and something went wrong. */
  readonly failed: readonly Absent[];
}

/** The medians of the runs, each figure by itself. */
export function rowOf(name: Pick<Row, 'path' | 'system' | 'codec'>, runs: readonly Measurement[]): Row {
  const cpu = runs.map(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion);
  return {
    ...name,
    records_per_second: Math.round(median(runs.map(({ recordsPerSecond }) => recordsPerSecond))),
    cpu_seconds_per_million: rounded(median(cpu), 3),
    startup_cpu_seconds: rounded(median(runs.map(({ startupCpuSeconds }) => startupCpuSeconds)), 2),
    peak_rss_mb: Math.round(median(runs.map(({ peakRssMegabytes }) => peakRssMegabytes))),
    runs: runs.length,
    cpu_spread: [rounded(Math.min(...cpu), 3), rounded(Math.max(...cpu), 3)],
    more: mediansOf(runs.map(({ more }) => more ?? {})),
  };
}

function mediansOf(runs: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(runs[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, rounded(median(runs.map((run) => run[name]!)), 2)]));
}

/** Of at least one number; of an even count the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function rounded(number: number, digits: number): number {
  return Number(number.toFixed(digits));
}
