import { describeError } from '../../api/index.ts';
import type { JobDesk, JobReport } from '../../pipeline/index.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted, grouped } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { jobName, jobObject, jobText, withSparkJobs, type SparkOptions } from '../spark-jobs.ts';
import { timeText } from '../time-text.ts';
import { writeOut } from '../write-out.ts';

export interface SparkShowOptions extends SparkOptions {
  readonly leg: string;
  /** So many lines of what the job wrote. */
  readonly lines: number;
  readonly json: boolean;
}

/** Prints all that is known of the batches of one sink, or of one pipeline, with the end of what their jobs wrote. */
export function sparkShow(options: SparkShowOptions, io: CliIo): Promise<ExitCode> {
  return withSparkJobs(options, io, async (desks) => {
    for (const desk of desks) {
      const report = await desk.report();
      const output = (await outputOf(desk)).split('\n').filter((line) => line.trim() !== '');
      const last = output.slice(-options.lines);
      if (options.json) await writeOut(io, jsonLine({ ...jobObject(report), output: last }));
      else await writeOut(io, `${[...described(report, io), ...written(last)].join('\n')}\n`);
    }
    return EXIT.done;
  });
}

/** What cannot be had of it says so in its place. */
function outputOf(desk: JobDesk): Promise<string> {
  return desk.output().catch((error: unknown) => `(${describeError(error)})`);
}

function described(report: JobReport, { stdout }: CliIo): readonly string[] {
  const { state, reason, batch } = report;
  const name = jobName(report);
  if (batch === null) return [printable(`${name}   idle: no batch is under way`)];
  const {
    id,
    topic,
    ranges,
    offsets,
    attempt,
    attempts,
    created_at: createdAt,
    submitted_at: submittedAt,
    job,
  } = batch;
  const partitions = ranges
    .filter(({ from, to }) => to > from)
    .map(({ partition, from, to }) => `${partition}: ${grouped(from)} to ${grouped(to - 1)}`);
  const facts: readonly (readonly [string, string])[] = [
    ['state', state.replace('_', ' ')],
    ...(reason === null ? [] : [['because', reason] as const]),
    ['attempt', `${attempt} of ${attempts}`],
    ['offsets', `${counted(offsets, 'offset')} of ${topic}; ${partitions.join(', ')}`],
    ['closed', timeText(createdAt, stdout)],
    ['asked for', submittedAt === null ? '-' : timeText(submittedAt, stdout)],
    ['job', jobText(job)],
  ];
  const isAtWork = state === 'queued' || state === 'running';
  return [
    printable(`${name}   batch ${id}`),
    ...facts.map(([word, text]) => printable(`  ${word.padEnd(10)}${text}`)),
    ...(isAtWork ? [printable(`  To end it, so that its batch is tried again: sluice spark kill ${name}`)] : []),
  ];
}

function written(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['  it wrote', ...lines.map((line) => `    ${printable(line)}`)];
}
