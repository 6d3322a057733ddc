import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describeError, SluiceError } from '../../api/index.ts';
import { loadHub, type HubPlan } from '../../config/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { realClock } from '../../telemetry/index.ts';
import { seededRandom } from '../../testing/index.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { jsonLine, printable } from '../printable.ts';
import { printProblems } from '../problems.ts';
import { crashPointsOf } from '../prove/crash-points.ts';
import { NetworkFaults } from '../prove/faults.ts';
import { judge, type SinkVerdict } from '../prove/judge.ts';
import { planTrial, type PlannedTrial } from '../prove/plan-trial.ts';
import { forgetTrial } from '../prove/forget-trial.ts';
import { runTrial, type Course } from '../prove/run-trial.ts';
import { Unprovable, TrialFailed, type TrialSetting } from '../prove/trial.ts';
import { verdictLines, verdictObject } from '../prove/verdict-text.ts';
import { listenForSignals } from '../signals.ts';
import { writeOut } from '../write-out.ts';

export interface ProveOptions {
  /** The hub file; looked for when it is not given. */
  readonly config?: string;
  /** Its name or its file. */
  readonly pipeline: string;
  readonly records: number;
  readonly kills: number;
  readonly seed: number;
  /** A file of records, a line each. */
  readonly sample?: string;
  readonly doubles: boolean;
  /** Are connections to be hurt? */
  readonly network: boolean;
  readonly keep: boolean;
  readonly json: boolean;
}

/** A source that makes its records itself has some left for the last life. */
const SECONDS_A_LIFE = 2;

/** Ends and hurts a copy of a pipeline at random while probes run through it, and says what became of them. Fails when a promise is broken. */
export async function prove(options: ProveOptions, io: CliIo): Promise<ExitCode> {
  const { config: file, pipeline, json } = options;
  const registry = createRegistry();
  const { cwd, env } = io;
  const loaded = await loadHub({ ...(file === undefined ? {} : { file }), pipelines: [pipeline], cwd, env, registry });
  if (loaded.problems.length > 0) printProblems(loaded.problems, io);
  if (loaded.plan === null) return EXIT.usage;
  const run = `${options.seed.toString(36)}${randomInt(36 ** 3).toString(36)}`;
  const workFolder = await mkdtemp(join(tmpdir(), `sluice-prove-${run}-`));
  const say = (line: string): void => void io.stderr.write(json ? '' : `${printable(line)}\n`);
  const stop = new AbortController();
  const interrupted = new SluiceError('TIMEOUT', 'proving the pipeline: it was told to stop');
  const unlisten = listenForSignals({
    monotonic: () => realClock.monotonic(),
    onFirst: () => {
      stop.abort(interrupted);
    },
    onSecond: () => process.exit(EXIT.unfinished),
  });
  try {
    const sample = options.sample === undefined ? null : await readSample(resolve(cwd, options.sample));
    const setting = { run, suffix: `-prove-${run}`, workFolder, doubles: options.doubles, sample, env };
    return await tryPipeline(loaded.plan, { options, setting, io, say, signal: stop.signal });
  } catch (error) {
    const isAboutPipeline = error instanceof Unprovable;
    const what = isAboutPipeline ? `${pipeline} cannot be proven yet: ` : '';
    io.stderr.write(`sluice: ${what}${printable(describeError(error))}\n`);
    if (error instanceof TrialFailed) say(`The same again: ${commandOf(options)}`);
    return isAboutPipeline ? EXIT.usage : stop.signal.aborted ? EXIT.unfinished : EXIT.failed;
  } finally {
    unlisten();
    if (!options.keep) await rm(workFolder, { recursive: true, force: true });
  }
}

interface Trying {
  readonly options: ProveOptions;
  readonly setting: TrialSetting;
  readonly io: CliIo;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

async function tryPipeline(plan: HubPlan, { options, setting, io, say, signal }: Trying): Promise<ExitCode> {
  const { kills, seed, records } = options;
  const registry = createRegistry();
  const network = new NetworkFaults();
  const rate = records / (SECONDS_A_LIFE * (kills + 1));
  const onProxy = (proxy: Parameters<NetworkFaults['add']>[0]): void => {
    if (options.network) network.add(proxy);
  };
  const trial = await planTrial(plan, { setting, registry, records, rate, onProxy });
  try {
    for (const made of trial.makes) say(`makes ${made}${options.keep ? '' : ', removed at the end'}`);
    const points = crashPointsOf(traitsOf(trial));
    const random = seededRandom(seed);
    const course = await runTrial(trial, {
      kills,
      crashPoints: points,
      random,
      network,
      env: setting.env,
      signal,
      say,
    });
    const verdicts = await judge(trial, setting);
    return await conclude({ options, network, course, verdicts }, io);
  } finally {
    if (!options.keep) {
      await forgetTrial(trial.hub, setting.env);
      await trial.close();
    }
  }
}

async function conclude(
  told: {
    readonly options: ProveOptions;
    readonly network: NetworkFaults;
    readonly course: Course;
    readonly verdicts: readonly SinkVerdict[];
  },
  io: CliIo,
): Promise<ExitCode> {
  const { options, network, course, verdicts } = told;
  const isBroken = verdicts.some(({ broken }) => broken.length > 0);
  const isJudged = verdicts.some(({ unjudged }) => unjudged === null);
  const again = commandOf(options);
  const report = { pipeline: options.pipeline, seed: options.seed, again, network: network.counts, course, verdicts };
  if (options.json) await writeOut(io, jsonLine(verdictObject(report)));
  else await writeOut(io, `${verdictLines(report).map(printable).join('\n')}\n`);
  return isBroken ? EXIT.failed : isJudged ? EXIT.done : EXIT.unfinished;
}

function traitsOf({ hub }: PlannedTrial): Parameters<typeof crashPointsOf>[0] {
  const [pipeline] = hub.pipelines;
  return {
    isKafka: hub.kafka !== null,
    isExact: pipeline!.sources.some(({ delivery }) => delivery === 'exactly_once'),
    hasFileSink: pipeline!.sinks.some(({ connector }) => connector === 'file'),
  };
}

async function readSample(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8');
  return text.split(/\r?\n/).filter((line) => line !== '');
}

/** Everything that a trial's random choices hang on. */
function commandOf({ pipeline, config, records, kills, seed, sample, doubles, network }: ProveOptions): string {
  const flags = [
    ...(config === undefined ? [] : ['--config', config]),
    '--seed',
    seed,
    '--records',
    records,
    '--kills',
    kills,
    ...(sample === undefined ? [] : ['--sample', sample]),
    ...(doubles ? ['--doubles'] : []),
    ...(network ? [] : ['--no-network']),
  ];
  return `sluice prove ${pipeline} ${flags.join(' ')}`;
}
