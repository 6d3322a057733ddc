import { describeError, SluiceError } from '../../api/index.ts';
import {
  DeadLetterIndex,
  Replay,
  replayDependencies,
  sinkTraits,
  surveyReplay,
  type DeadLetterFilter,
  type ReplayChoice,
  type ReplaySurvey,
  type ReplayTotals,
} from '../../pipeline/index.ts';
import { parkingTopic } from '../../log/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { createLogger, MetricsRecorder, realClock } from '../../telemetry/index.ts';
import { withDeadLetters, type DeadLetterCommandOptions, type DeadLetterSetting } from '../dead-letter-command.ts';
import { filterFlags, Selection } from '../dead-letters.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { jsonLine, printable } from '../printable.ts';
import { ReplayDisplay } from '../replay-display.ts';
import { ReplayProgress } from '../replay-progress.ts';
import { refusalOf, replayLines, surveyLines, surveyObject, totalsObject } from '../replay-text.ts';
import { listenForSignals } from '../signals.ts';
import { writeOut } from '../write-out.ts';

export interface DlqReplayOptions extends DeadLetterCommandOptions {
  readonly filter: DeadLetterFilter;
  /** The flags of the filter as they were given: the same ones go on with what was interrupted. */
  readonly given: unknown;
  /** Those that were parked, instead of the others. */
  readonly parked: boolean;
  /** Records a second; null for as many as the legs take. */
  readonly rate: number | null;
  readonly allowOverwrite: boolean;
  readonly resurrect: boolean;
  /** Begins anew what was interrupted. */
  readonly restart: boolean;
  readonly json: boolean;
}

/** Writes dead letters again to the legs that refused them. */
export function dlqReplay(options: DlqReplayOptions, io: CliIo): Promise<ExitCode> {
  return withDeadLetters(options, io, async (setting) => {
    const { plan, pipeline, view, topics } = setting;
    if (topics === null) {
      await say(options, io, [`No dead letters of ${pipeline.name}.`]);
      return EXIT.done;
    }
    const progress = await ReplayProgress.load(plan.dataDir, aboutOf(options, setting), {
      ends: endsOf(setting),
      filter: options.filter,
      restart: options.restart || options.dryRun,
    });
    const selection = Selection.of(progress.filter, plan, io);
    if (selection === null) return EXIT.usage;
    const { parked, allowOverwrite } = options;
    const surroundings = {
      registry: createRegistry(),
      references: plan.references,
      outbound: plan.outbound,
      env: io.env,
    };
    const choice: ReplayChoice = {
      plan: pipeline,
      sinks: await sinkTraits(pipeline, surroundings),
      topics: view.topics,
      index: await DeadLetterIndex.read(view, topics, { from: progress.from, to: progress.ends }),
      test: selection.test,
      parked,
      allowOverwrite,
    };
    const survey = await surveyReplay(choice);
    selection.tellFailures(io);
    if (options.dryRun) {
      const again = `sluice dlq replay ${pipeline.name}${filterFlags(options.filter)}${parked ? ' --parked' : ''}`;
      await say(options, io, surveyLines(survey, { pipeline: pipeline.name, again }), surveyObject(survey));
      return EXIT.done;
    }
    const refusal = allowOverwrite ? null : refusalOf(survey);
    if (refusal !== null) {
      io.stderr.write(`sluice: ${printable(refusal)}\n`);
      return EXIT.usage;
    }
    return run(setting, { options, choice, survey, progress, surroundings }, io);
  });
}

interface RunOptions {
  readonly options: DlqReplayOptions;
  readonly choice: ReplayChoice;
  readonly survey: ReplaySurvey;
  readonly progress: ReplayProgress;
  readonly surroundings: Pick<Parameters<typeof replayDependencies>[0], 'registry' | 'references' | 'outbound' | 'env'>;
}

async function run(
  { plan, pipeline, view, log }: DeadLetterSetting,
  { options, choice, survey, progress, surroundings }: RunOptions,
  io: CliIo,
): Promise<ExitCode> {
  const parks = survey.byJudgement.park > 0;
  const writable = await log!.open(pipeline, { parks });
  const stop = new AbortController();
  const unlisten = listenForSignals({
    monotonic: () => realClock.monotonic(),
    onFirst: () => {
      stop.abort(new SluiceError('TIMEOUT', 'replaying: it was told to stop'));
    },
    onSecond: () => process.exit(EXIT.unfinished),
  });
  const display = new ReplayDisplay(io, {
    records: progress.before.records + survey.records,
    quiet: options.json,
  });
  const reports = new Map<string, string>();
  const startedAt = new Date();
  const replay = new Replay({
    ...choice,
    view,
    from: progress.from,
    dependencies: replayDependencies({
      ...surroundings,
      pipeline,
      hubId: log!.hubId,
      group: plan.group,
      topicLog: writable.topicLog,
      clock: realClock,
      log: createLogger({ level: 'error', destination: { write: () => true }, pretty: false }),
      metrics: new MetricsRecorder().bind({ pipeline: pipeline.name }),
    }),
    replayId: progress.id,
    resurrect: options.resurrect,
    parkingTopic: parks ? parkingTopic(pipeline.name) : null,
    perSecond: options.rate,
    signal: stop.signal,
    onProgress: async (next, totals) => {
      await progress.save(next, totals);
      display.update(progress.total(totals));
    },
    onWait: (leg, reason) => {
      display.waits(leg, reason);
    },
    report: (leg, status) => reports.set(leg, status),
  });
  let failure: unknown = null;
  try {
    await replay.run();
    await progress.end();
  } catch (error) {
    failure = error;
  } finally {
    unlisten();
    await writable.close();
    display.end();
  }
  const totals = progress.total(replay.totals);
  const reason = failure === null ? null : describeError(failure);
  const told = { pipeline: pipeline.name, totals, reason, reports, startedAt, isResumed: progress.isResumed };
  const lines = replayLines(told, filterFlags(options.filter));
  await say(options, io, lines, { replay: progress.id, finished: failure === null, reason, ...totalsObject(totals) });
  return exitCode(totals, failure);
}

function exitCode({ refused, parked, gone, passed }: ReplayTotals, failure: unknown): ExitCode {
  if (failure !== null) return EXIT.unfinished;
  return refused + parked + gone + passed > 0 ? EXIT.deadLetters : EXIT.done;
}

function aboutOf({ given, parked, allowOverwrite, resurrect }: DlqReplayOptions, setting: DeadLetterSetting) {
  const { pipeline, view, topics } = setting;
  const names = [topics!.topic, topics!.parked];
  const found = view.topics.filter(({ name }) => names.includes(name));
  const incarnations = found.map(({ name, incarnation }) => [name, incarnation]);
  return { pipeline: pipeline.name, what: { incarnations, given, parked, allowOverwrite, resurrect } };
}

function endsOf({ view, topics }: DeadLetterSetting): ReadonlyMap<string, number> {
  const names = [topics!.topic, topics!.parked];
  const found = view.topics.filter(({ name }) => names.includes(name));
  return new Map(
    found.flatMap(({ name, ends }) => ends.map((end, partition) => [`${name}/${partition}`, end] as const)),
  );
}

async function say(
  { json }: DlqReplayOptions,
  io: CliIo,
  lines: readonly string[],
  object: object = {},
): Promise<void> {
  await writeOut(io, json ? jsonLine(object) : `${lines.map(printable).join('\n')}\n`);
}
