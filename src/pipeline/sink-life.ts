import type { JobSinkDefinition, SinkDefinition } from '../api/index.ts';
import type { SinkPlan } from '../config/index.ts';
import type { DeadLetterRate } from './dead-letter-rate.ts';
import type { Trouble } from './delivery.ts';
import type { LegDependencies } from './leg.ts';
import type { SinkTotals } from './sink-totals.ts';

export interface SinkLifeOptions {
  readonly plan: SinkPlan;
  readonly dependencies: LegDependencies;
  readonly totals: SinkTotals;
  readonly rate: DeadLetterRate;
  readonly onStarted: () => void;
  readonly onTrouble: (trouble: Trouble | null) => void;
  readonly onProgress: () => void;
  readonly report: (status: string) => void;
}

/** One life of a sink, from its saved offsets to its end; the runner begins another. */
export interface SinkLife<Definition extends SinkDefinition | JobSinkDefinition> {
  /** Offsets between what is finished and the ends that are known. */
  readonly lag: number;
  /** Milliseconds since the epoch; null when nothing waits. */
  readonly oldestTimestamp: number | null;
  /** Resolves when the sink was asked to stop and did; rejects when it cannot go on. */
  run(definition: Definition, options: Record<string, unknown>): Promise<void>;
  /** No more reading; what was read is finished, flushed and saved. */
  drain(): void;
  /** Everything that waits is given up. */
  kill(reason: unknown): void;
  resume(): void;
  /** The ends of the topic's partitions, now. */
  ends(): Promise<readonly number[]>;
  /** Resolves when the offsets up to these ends are saved. */
  reach(ends: readonly number[]): Promise<void>;
}
