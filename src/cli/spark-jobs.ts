import { SluiceError } from '../api/index.ts';
import { JobDesk, type JobReport } from '../pipeline/index.ts';
import { createRegistry } from '../registry/index.ts';
import { createLogger, realClock } from '../telemetry/index.ts';
import { viewSaved } from './data-folder.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { CliIo } from './io.ts';
import { printable } from './printable.ts';

/** A cluster that does not answer is out of reach, whatever its own time-outs are. */
const DEADLINE_MS = 20_000;
const CONNECTOR = 'spark';

export interface SparkOptions {
  readonly config?: string;
  /** `PIPELINE` or `PIPELINE/SINK`; all without. */
  readonly leg?: string;
}

/** Opens the sinks of Spark jobs that are meant and closes them afterwards. Says why and returns an exit code when there are none. */
export async function withSparkJobs(
  options: SparkOptions,
  io: CliIo,
  use: (desks: readonly JobDesk[]) => Promise<ExitCode>,
): Promise<ExitCode> {
  const found = await viewSaved(options, io);
  if ('exit' in found) return found.exit;
  await found.close();
  const plan = found.plan!;
  const [pipelineName, sinkName] = options.leg?.split('/') ?? [];
  const places = plan.pipelines
    .filter(({ name }) => pipelineName === undefined || name === pipelineName)
    .flatMap((pipeline) => pipeline.sinks.map((sink) => ({ pipeline, sink })))
    .filter(({ sink }) => sink.connector === CONNECTOR && (sinkName === undefined || sink.name === sinkName));
  if (places.length === 0) {
    const of = options.leg === undefined ? '' : ` in ${printable(options.leg)}`;
    io.stderr.write(`sluice: there is no sink \`${CONNECTOR}\`${of}\n`);
    return EXIT.failed;
  }
  const deadline = new AbortController();
  const log = createLogger({ level: 'error', destination: { write: () => true }, pretty: false });
  const late = setTimeout(() => {
    deadline.abort(new SluiceError('TIMEOUT', `asking for jobs: no answer within ${DEADLINE_MS / 1000} s`));
  }, DEADLINE_MS);
  const surroundings = {
    plan,
    view: found.view,
    registry: createRegistry(),
    env: io.env,
    clock: realClock,
    log,
    signal: deadline.signal,
  };
  const desks = (await Promise.all(places.map((place) => JobDesk.open(place, surroundings)))).filter(
    (desk) => desk !== null,
  );
  try {
    return await use(desks);
  } finally {
    clearTimeout(late);
    await Promise.all(desks.map((desk) => desk.close()));
  }
}

/** `PIPELINE/SINK` */
export function jobName({ pipeline, sink }: Pick<JobReport, 'pipeline' | 'sink'>): string {
  return `${pipeline}/${sink}`;
}

/** As a person calls it: `driver-20261128101300-0002`, `application app-…`, `process 4711`; `-` for none. */
export function jobText(job: NonNullable<JobReport['batch']>['job']): string {
  const [known] = Object.entries((job ?? {}) as Readonly<Record<string, unknown>>);
  if (known === undefined) return '-';
  const [name, value] = known;
  const words: Readonly<Record<string, string>> = { driver: '', pid: 'process ' };
  return `${words[name] ?? `${name} `}${String(value)}`;
}

/** For `--json`: times as ISO 8601. */
export function jobObject({ batch, ...report }: JobReport): object {
  if (batch === null) return { ...report, batch };
  const { created_at: createdAt, submitted_at: submittedAt } = batch;
  const times = {
    created_at: new Date(createdAt).toISOString(),
    submitted_at: submittedAt === null ? null : new Date(submittedAt).toISOString(),
  };
  return { ...report, batch: { ...batch, ...times } };
}
