import { describeError } from '../src/api/index.ts';
import type { Bench, Contestant, Path } from './path.ts';
import { type Absent, type Report, type Row, rowOf } from './rows.ts';
import type { Measurement } from './stage.ts';

export interface RunOptions {
  readonly runs: number;
  /** Of a run at the most. */
  readonly records: number;
  /** Told what goes on. */
  readonly note: (line: string) => void;
}

/** Of a bench of all paths. */
export async function runPaths(paths: readonly Path[], bench: Bench, options: RunOptions): Promise<Report> {
  const rows: Row[] = [];
  const missing: Absent[] = [];
  const failed: Absent[] = [];
  for (const path of paths) {
    const report = await runPath(path, bench, options);
    rows.push(...report.rows);
    missing.push(...report.missing);
    failed.push(...report.failed);
  }
  return { rows, missing, failed };
}

interface Entry {
  readonly contestant: Contestant;
  readonly runs: Measurement[];
  failure: string | null;
}

/** The systems of a path take turns, run by run, so that what else the machine does meets all of them. */
async function runPath({ name: path, contestants, isOnce }: Path, bench: Bench, options: RunOptions): Promise<Report> {
  const missing: Absent[] = [];
  const entries: Entry[] = [];
  for (const contestant of contestants) {
    const reason = await contestant.missing();
    if (reason === null) entries.push({ contestant, runs: [], failure: null });
    else missing.push({ path, system: contestant.system, reason });
  }
  const runs = isOnce === true ? 1 : options.runs;
  for (let run = 1; run <= runs; run++) {
    for (const entry of entries.filter(({ failure }) => failure === null)) {
      const { contestant } = entry;
      try {
        const measured = await contestant.run(bench, options.records);
        entry.runs.push(measured);
        options.note(describeRun(path, contestant, `run ${run}`, measured));
      } catch (error) {
        entry.failure = describeError(error);
        options.note(`${path} ${contestant.codec} ${contestant.system} run ${run} FAILED: ${entry.failure}`);
      }
    }
  }
  const done = entries.filter(({ failure }) => failure === null);
  return {
    rows: done.map(({ contestant: { system, codec }, runs }) => rowOf({ path, system, codec }, runs)),
    missing,
    failed: entries.flatMap(({ contestant: { system }, failure }) =>
      failure === null ? [] : [{ path, system, reason: failure }],
    ),
  };
}

/** A line for people. */
export function describeRun(path: string, { system, codec }: Contestant, run: string, measured: Measurement): string {
  const { cpuSecondsPerMillion, recordsPerSecond, peakRssMegabytes } = measured;
  const figures = `${cpuSecondsPerMillion.toFixed(3)} CPU-s/M, ${Math.round(recordsPerSecond)}/s, ${Math.round(peakRssMegabytes)} MB`;
  return `${path} ${codec} ${system} ${run}: ${figures}`;
}
