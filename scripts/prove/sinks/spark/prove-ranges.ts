import { join } from 'node:path';
import type { CrashPoint } from '../../../../src/telemetry/index.ts';
import type { Servers } from '../../kafka/servers.ts';
import type { Proof, Result } from '../../proof.ts';
import { RECORDS_IN_RANGE, SparkRun } from './spark-run.ts';
import type { SparkTarget } from './targets.ts';

/** Where a hub can be killed while a batch is under way. */
export const stepPoints = [
  'job-intent-saved',
  'job-create-sent',
  'job-created',
  'job-running',
  'job-succeeded',
  'job-committed',
] as const satisfies readonly CrashPoint[];
export interface RangesOptions {
  readonly name: string;
  readonly target: SparkTarget;
  /** All that jobs without landed files have. */
  readonly points?: readonly CrashPoint[];
}

/** `proof.lines` records in ranges, each processed by a job; a hub is killed at each step, the first or the second time that it comes there. */
export function proveRanges({ name, target, points = stepPoints }: RangesOptions) {
  return async ({ folder, lines, random }: Proof, servers: Servers): Promise<Result> => {
    const { brokers } = await servers.shared('kafka');
    const spark = await servers.shared('spark');
    const run = await SparkRun.start({ folder: join(folder, 'run'), name, brokers, spark, target });
    try {
      const ranges = lines / RECORDS_IN_RANGE;
      await run.grow(ranges);
      // Two lives for each step would take as many ranges; those that are left go to the last.
      for (const point of points) await run.lives.endAt(point, random() < 0.5 && points.length * 2 <= ranges ? 2 : 1);
      await run.lives.drain();
      return await run.judge((found) => `${found} ranges, the hub killed at ${points.length} steps`);
    } finally {
      await run.end();
    }
  };
}
