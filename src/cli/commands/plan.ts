import { access } from 'node:fs/promises';
import { loadHub, type HubPlan } from '../../config/index.ts';
import { readDataFolder, type DataFolderView } from '../../log/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { identityChanges } from '../identity-changes.ts';
import type { CliIo } from '../io.ts';
import { planLines } from '../plan-lines.ts';
import { plannedPipelines } from '../planned-pipelines.ts';
import { jsonLine, printable } from '../printable.ts';
import { printProblems } from '../problems.ts';
import { writeOut } from '../write-out.ts';

export interface PlanOptions {
  /** The hub file; looked for when it is not given. */
  readonly config?: string;
  readonly json: boolean;
}

/** Prints what `run` would run. Changes nothing. */
export async function plan({ config: file, json }: PlanOptions, io: CliIo): Promise<ExitCode> {
  const registry = createRegistry();
  const { cwd, env } = io;
  const loaded = await loadHub({ ...(file === undefined ? {} : { file }), pipelines: [], cwd, env, registry });
  if (loaded.problems.length > 0) printProblems(loaded.problems, io);
  const hub = loaded.plan;
  if (hub === null) return EXIT.usage;
  const pipelines = await plannedPipelines(hub, registry);
  const view = await savedState(hub);
  const changes = view === null ? [] : identityChanges(pipelines, view);
  if (json) {
    const { dataDir, group } = hub;
    await writeOut(io, jsonLine({ dataDir, group, pipelines, changes }));
    return EXIT.done;
  }
  const lines = [...pipelines.flatMap((pipeline) => planLines(pipeline)), ...changeLines(changes, view)];
  const next = pipelines.length === 0 ? 'No pipeline was found. A folder with one: sluice init' : 'Run it: sluice run';
  await writeOut(io, `${[...lines.map(printable), next].join('\n')}\n`);
  return EXIT.done;
}

/** What earlier runs left, beside a running hub too; null before the first. */
async function savedState({ dataDir }: HubPlan): Promise<DataFolderView | null> {
  try {
    await access(dataDir);
  } catch {
    return null;
  }
  return readDataFolder({ dataDir });
}

function changeLines(changes: ReturnType<typeof identityChanges>, view: DataFolderView | null): readonly string[] {
  if (view === null) return ['nothing has run yet: everything begins at its beginning'];
  if (changes.length === 0) return ['nothing new, nothing gone since the last run'];
  return ['changed since the last run:', ...changes.map(({ text }) => `  ${text}`)];
}
