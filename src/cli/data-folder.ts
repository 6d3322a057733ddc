import { access } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { kafkaPreview, loadHub, type HubPlan } from '../config/index.ts';
import { readDataFolder, type DataFolderView, type SavedView } from '../log/index.ts';
import { createRegistry } from '../registry/index.ts';
import type { CommandKafka } from './command-kafka.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { CliIo } from './io.ts';
import { printable } from './printable.ts';
import { printProblems } from './problems.ts';

/** Which data folder a command is about. */
export interface FolderOptions {
  /** The hub file; looked for when it is not given. */
  readonly config?: string;
  /** The folder itself: then no configuration is read. */
  readonly dataDir?: string;
}

export interface LocatedFolder {
  readonly dataDir: string;
  /** Null with `--data-dir`. */
  readonly plan: HubPlan | null;
}

/** Says why and returns an exit code when the configuration is wrong. */
export async function locate(
  { config, dataDir }: FolderOptions,
  io: CliIo,
): Promise<LocatedFolder | { readonly exit: ExitCode }> {
  return dataDir === undefined ? configured(config, io) : { dataDir: resolve(io.cwd, dataDir), plan: null };
}

/** Finds the folder of an embedded log; says why and returns an exit code when there is none. */
export async function locateFolder(
  options: FolderOptions,
  io: CliIo,
): Promise<LocatedFolder | { readonly exit: ExitCode }> {
  const located = await locate(options, io);
  if ('exit' in located) return located;
  if (located.plan !== null && located.plan.kafka !== null) return refuseKafka(located.plan, io);
  return checkFolder(located, io);
}

/** An embedded log was asked for, and topics live elsewhere. */
function refuseKafka({ file, kafka }: HubPlan, io: CliIo): { readonly exit: ExitCode } {
  const { brokers } = kafkaPreview({ file, kafka });
  const at = `--bootstrap-server ${brokers.join(',')}`;
  io.stderr.write(
    `sluice: this is for the embedded log, and the topics of this hub are in Kafka. Look there with: kafka-console-consumer ${printable(at)} --topic NAME --from-beginning; a broker checks its files with kafka-dump-log. A folder of before: --data-dir\n`,
  );
  return { exit: EXIT.usage };
}

async function checkFolder(located: LocatedFolder, io: CliIo): Promise<LocatedFolder | { readonly exit: ExitCode }> {
  try {
    await access(located.dataDir);
    return located;
  } catch {
    const shown = relative(io.cwd, located.dataDir);
    io.stderr.write(`sluice: there is no data folder ${shown === '' ? '.' : shown}; \`sluice run\` makes it\n`);
    return { exit: EXIT.failed };
  }
}

/** Reads an embedded log beside a running hub. */
export async function viewFolder(
  options: FolderOptions,
  io: CliIo,
): Promise<(LocatedFolder & { readonly view: DataFolderView }) | { readonly exit: ExitCode }> {
  const located = await locateFolder(options, io);
  return 'exit' in located ? located : { ...located, view: await lookInto(located, io) };
}

/** Reads what is saved, wherever the topics live; `close` ends it. */
export async function viewSaved(options: FolderOptions, io: CliIo): Promise<SavedState | { readonly exit: ExitCode }> {
  const located = await locate(options, io);
  if ('exit' in located) return located;
  const { plan } = located;
  if (plan !== null && plan.kafka !== null) {
    const { viewKafka } = await import('./kafka-state.ts');
    return { plan, ...(await viewKafka({ ...plan, kafka: plan.kafka }, io.env)) };
  }
  const folder = await checkFolder(located, io);
  if ('exit' in folder) return folder;
  return { plan, view: await lookInto(folder, io), isKafka: false, close: () => Promise.resolve() };
}

export interface SavedState {
  /** Null with `--data-dir`. */
  readonly plan: HubPlan | null;
  readonly view: SavedView;
  readonly isKafka: boolean;
  /** Set where the topics live in Kafka. */
  readonly kafka?: CommandKafka;
  close(): Promise<void>;
}

async function lookInto({ dataDir }: LocatedFolder, io: CliIo): Promise<DataFolderView> {
  const view = await readDataFolder({ dataDir });
  for (const damage of view.damaged) io.stderr.write(`sluice: ${printable(damage)}; see: sluice log check\n`);
  return view;
}

async function configured(file: string | undefined, io: CliIo): Promise<LocatedFolder | { readonly exit: ExitCode }> {
  const { plan, problems } = await loadHub({
    ...(file === undefined ? {} : { file }),
    pipelines: [],
    cwd: io.cwd,
    env: io.env,
    registry: createRegistry(),
  });
  if (plan !== null) return { dataDir: plan.dataDir, plan };
  printProblems(problems, io);
  io.stderr.write('sluice: give --data-dir to look into a folder without its configuration\n');
  return { exit: EXIT.usage };
}
