import { access } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { loadHub, type HubPlan } from '../config/index.ts';
import { readDataFolder, type DataFolderView } from '../log/index.ts';
import { createRegistry } from '../registry/index.ts';
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

/** Finds the folder; says why and returns an exit code when there is none. */
export async function locateFolder(
  { config, dataDir }: FolderOptions,
  io: CliIo,
): Promise<LocatedFolder | { readonly exit: ExitCode }> {
  const located =
    dataDir === undefined ? await configured(config, io) : { dataDir: resolve(io.cwd, dataDir), plan: null };
  if ('exit' in located) return located;
  try {
    await access(located.dataDir);
    return located;
  } catch {
    const shown = relative(io.cwd, located.dataDir);
    io.stderr.write(`sluice: there is no data folder ${shown === '' ? '.' : shown}; \`sluice run\` makes it\n`);
    return { exit: EXIT.failed };
  }
}

/** Reads beside a running hub. */
export async function viewFolder(
  options: FolderOptions,
  io: CliIo,
): Promise<(LocatedFolder & { readonly view: DataFolderView }) | { readonly exit: ExitCode }> {
  const located = await locateFolder(options, io);
  if ('exit' in located) return located;
  const view = await readDataFolder({ dataDir: located.dataDir });
  for (const damage of view.damaged) io.stderr.write(`sluice: ${printable(damage)}; see: sluice log check\n`);
  return { ...located, view };
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
