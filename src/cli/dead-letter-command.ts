import { SluiceError } from '../api/index.ts';
import type { HubPlan, PipelinePlan } from '../config/index.ts';
import type { SavedView } from '../log/index.ts';
import { deadLetterTopics, type DeadLetterTopics } from '../pipeline/index.ts';
import { openEmbeddedLetters, kafkaLetters, type DeadLetterLog } from './dead-letter-log.ts';
import { configuredDeadLetters } from './dead-letters.ts';
import { locateFolder, locate, viewSaved, type FolderOptions } from './data-folder.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { CliIo } from './io.ts';
import { printable } from './printable.ts';

export interface DeadLetterCommandOptions extends Pick<FolderOptions, 'config'> {
  readonly pipeline: string;
  /** Only looks: then an embedded log is read beside a running hub. */
  readonly dryRun: boolean;
}

/** What a command that changes dead letters works with. */
export interface DeadLetterSetting {
  readonly plan: HubPlan;
  readonly pipeline: PipelinePlan;
  readonly view: SavedView;
  readonly isKafka: boolean;
  /** Null while there is nothing. */
  readonly topics: DeadLetterTopics | null;
  /** Null for a dry run. */
  readonly log: DeadLetterLog | null;
}

/** Opens what a command needs, closes it afterwards, and says what is wrong. */
export async function withDeadLetters(
  options: DeadLetterCommandOptions,
  io: CliIo,
  use: (setting: DeadLetterSetting) => Promise<ExitCode>,
): Promise<ExitCode> {
  const located = await locate(options, io);
  if ('exit' in located) return located.exit;
  const plan = located.plan!;
  const pipeline = plan.pipelines.find(({ name }) => name === options.pipeline);
  const complaint = complaintOf(plan, options.pipeline);
  if (pipeline === undefined || complaint !== null) {
    io.stderr.write(`sluice: ${printable(complaint ?? '')}\n`);
    return EXIT.usage;
  }
  const opened = await open(plan, options, io);
  if ('exit' in opened) return opened.exit;
  try {
    const { view, log, isKafka } = opened;
    const topics = deadLetterTopics(view, configuredDeadLetters(plan)).find((one) => one.pipeline === pipeline.name);
    return await use({ plan, pipeline, view, isKafka, log, topics: topics ?? null });
  } finally {
    await opened.close();
  }
}

function complaintOf({ pipelines }: HubPlan, name: string): string | null {
  const pipeline = pipelines.find((one) => one.name === name);
  if (pipeline === undefined) {
    const names = pipelines.map((one) => one.name).join(', ');
    return `this hub has no pipeline ${name}${names === '' ? '' : `; there are: ${names}`}`;
  }
  return pipeline.deadLetter.topic === null ? `pipeline ${name} keeps no dead letters: its dead_letter is off` : null;
}

interface Opened {
  readonly view: SavedView;
  readonly isKafka: boolean;
  readonly log: DeadLetterLog | null;
  close(): Promise<void>;
}

async function open(
  plan: HubPlan,
  { dryRun, ...options }: DeadLetterCommandOptions,
  io: CliIo,
): Promise<Opened | { readonly exit: ExitCode }> {
  if (plan.kafka === null && !dryRun) {
    const folder = await locateFolder(options, io);
    if ('exit' in folder) return folder;
    return openFolder(plan, io);
  }
  const saved = await viewSaved(options, io);
  if ('exit' in saved) return saved;
  const { view, isKafka, kafka } = saved;
  const log = dryRun || kafka === undefined ? null : kafkaLetters({ ...plan, kafka: plan.kafka! }, { kafka, view });
  return { view, isKafka, log, close: () => saved.close() };
}

async function openFolder(plan: HubPlan, { stderr }: CliIo): Promise<Opened | { readonly exit: ExitCode }> {
  try {
    const log = await openEmbeddedLetters(plan);
    return { view: log.view, isKafka: false, log, close: () => log.close() };
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'DATA_FOLDER_IN_USE') throw error;
    stderr.write(`sluice: ${error.message}\n`);
    return { exit: EXIT.inUse };
  }
}
