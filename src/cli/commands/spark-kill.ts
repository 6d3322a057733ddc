import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { jsonLine, printable } from '../printable.ts';
import { jobName, jobText, withSparkJobs, type SparkOptions } from '../spark-jobs.ts';
import { writeOut } from '../write-out.ts';

export interface SparkKillOptions extends SparkOptions {
  /** `PIPELINE/SINK` */
  readonly leg: string;
  readonly json: boolean;
}

/** Ends the job of one sink. A hub that watches it takes that for a failure, and tries the batch again. */
export function sparkKill(options: SparkKillOptions, io: CliIo): Promise<ExitCode> {
  return withSparkJobs(options, io, async ([desk]) => {
    const report = await desk!.report();
    const { batch } = report;
    const isEnded = await desk!.end();
    const name = jobName(report);
    if (options.json)
      await writeOut(
        io,
        jsonLine({ pipeline: report.pipeline, sink: report.sink, killed: isEnded ? batch!.job : null }),
      );
    else if (!isEnded) io.stderr.write(`sluice: ${printable(name)} has no job to end\n`);
    else {
      const { id, attempt, attempts, job } = batch!;
      const next = attempt < attempts ? 'tries the batch again' : 'gives the batch up, for that was its last attempt';
      await writeOut(io, printable(`${name}: told ${jobText(job)} of batch ${id} to end. Its hub ${next}.`) + '\n');
    }
    return isEnded ? EXIT.done : EXIT.failed;
  });
}
