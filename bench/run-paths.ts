import type { Bench, Contestant, Path } from './path.ts';
import { type Missing, type Report, rowOf } from './rows.ts';
import type { Measurement } from './stage.ts';

export interface RunOptions {
  readonly runs: number;
  /** Of a run at the most. */
  readonly records: number;
  /** Told what goes on. */
  readonly note: (line: string) => void;
}

/** The systems of a path take turns, run by run, so that what else the machine does meets all of them. */
export async function runPaths(paths: readonly Path[], bench: Bench, options: RunOptions): Promise<Report> {
  const missing: Missing[] = [];
  const rows = [];
  for (const path of paths) {
    const present: { readonly contestant: Contestant; readonly runs: Measurement[] }[] = [];
    for (const contestant of path.contestants) {
      const reason = await contestant.missing();
      if (reason === null) present.push({ contestant, runs: [] });
      else missing.push({ path: path.name, system: contestant.system, reason });
    }
    for (let run = 1; run <= options.runs; run++) {
      for (const { contestant, runs } of present) {
        const measured = await contestant.run(bench, options.records);
        runs.push(measured);
        options.note(describe(path.name, contestant, run, measured));
      }
    }
    for (const { contestant, runs } of present)
      rows.push(rowOf({ path: path.name, system: contestant.system, codec: contestant.codec }, runs));
  }
  return { rows, missing };
}

function describe(path: string, { system, codec }: Contestant, run: number, measured: Measurement): string {
  const { cpuSecondsPerMillion, recordsPerSecond, peakRssMegabytes } = measured;
  const figures = `${cpuSecondsPerMillion.toFixed(3)} CPU-s/M, ${Math.round(recordsPerSecond)}/s, ${Math.round(peakRssMegabytes)} MB`;
  return `${path} ${codec} ${system} run ${run}: ${figures}`;
}
