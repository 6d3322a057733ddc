import type { JobReport } from '../../pipeline/index.ts';
import { columns } from '../columns.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { grouped } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { jobName, jobObject, jobText, withSparkJobs, type SparkOptions } from '../spark-jobs.ts';
import { timeText } from '../time-text.ts';
import { writeOut } from '../write-out.ts';

export interface SparkListOptions extends SparkOptions {
  readonly json: boolean;
}

/** Prints what each sink of Spark jobs is at: its batch as saved, and how its job stands where it runs. */
export function sparkList(options: SparkListOptions, io: CliIo): Promise<ExitCode> {
  return withSparkJobs(options, io, async (desks) => {
    const reports = await Promise.all(desks.map((desk) => desk.report()));
    if (options.json) await writeOut(io, jsonLine({ jobs: reports.map(jobObject) }));
    else await writeOut(io, `${lines(reports, io).join('\n')}\n`);
    return EXIT.done;
  });
}

function lines(reports: readonly JobReport[], io: CliIo): readonly string[] {
  const busy = reports.filter(({ batch }) => batch !== null);
  const [first] = busy;
  const end = `${busy.length === 1 ? '1 batch' : `${grouped(busy.length)} batches`} under way.`;
  return [
    ...columns(
      [
        ['sink', 'left'],
        ['state', 'left'],
        ['batch', 'left'],
        ['offsets', 'right'],
        ['attempt', 'right'],
        ['asked for', 'left'],
        ['job', 'left'],
      ],
      reports.map((report) => cells(report, io).map(printable)),
    ),
    '',
    first === undefined ? end : printable(`${end} More of one: sluice spark show ${jobName(first)}`),
  ];
}

function cells(report: JobReport, { stdout }: CliIo): readonly string[] {
  const { state, batch } = report;
  const name = [jobName(report), state.replace('_', ' ')];
  if (batch === null) return [...name, '-', '-', '-', '-', '-'];
  const { id, offsets, attempt, attempts, submitted_at: submittedAt, job } = batch;
  const askedFor = submittedAt === null ? '-' : timeText(submittedAt, stdout);
  return [...name, id, grouped(offsets), `${attempt} of ${attempts}`, askedFor, jobText(job)];
}
