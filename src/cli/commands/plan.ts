import { access } from 'node:fs/promises';
import type { Json } from '../../api/index.ts';
import { kafkaPreview, loadHub, maskKafka, type HubPlan } from '../../config/index.ts';
import { readDataFolder, type DataFolderView, type SavedView } from '../../log/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { identityChanges } from '../identity-changes.ts';
import type { CliIo } from '../io.ts';
import { kafkaLines, planLines } from '../plan-lines.ts';
import { plannedPipelines, type PlannedPipeline } from '../planned-pipelines.ts';
import { jsonLine, printable } from '../printable.ts';
import { printProblems } from '../problems.ts';
import { writeOut } from '../write-out.ts';

export interface PlanOptions {
  /** The hub file; looked for when it is not given. */
  readonly config?: string;
  /** Ask a Kafka cluster what is there, too. */
  readonly connect: boolean;
  readonly json: boolean;
}

/** Prints what `run` would run. Changes nothing. */
export async function plan({ config: file, connect, json }: PlanOptions, io: CliIo): Promise<ExitCode> {
  const registry = createRegistry();
  const { cwd, env } = io;
  const loaded = await loadHub({ ...(file === undefined ? {} : { file }), pipelines: [], cwd, env, registry });
  if (loaded.problems.length > 0) printProblems(loaded.problems, io);
  const hub = loaded.plan;
  if (hub === null) return EXIT.usage;
  const pipelines = await plannedPipelines(hub, registry);
  if (hub.kafka !== null) return planOnKafka({ ...hub, kafka: hub.kafka }, pipelines, { connect, json, io });
  const view = await savedState(hub);
  const changes = view === null ? [] : identityChanges(pipelines, view, 'embedded');
  if (json) {
    const { dataDir, group } = hub;
    await writeOut(io, jsonLine({ dataDir, group, pipelines, changes }));
    return EXIT.done;
  }
  const lines = [...pipelines.flatMap((pipeline) => planLines(pipeline, 'embedded')), ...changeLines(changes, view)];
  await writeOut(io, `${[...lines.map(printable), nextStep(pipelines)].join('\n')}\n`);
  return EXIT.done;
}

/** By what is configured alone, unless the cluster shall be asked. */
async function planOnKafka(
  hub: HubPlan & { readonly kafka: Json },
  pipelines: readonly PlannedPipeline[],
  { connect, json, io }: { connect: boolean; json: boolean; io: CliIo },
): Promise<ExitCode> {
  const { file, kafka, dataDir, group } = hub;
  const view = connect ? await kafkaState(hub, io) : null;
  const changes = view === null ? null : identityChanges(pipelines, view, 'kafka');
  if (json) {
    await writeOut(io, jsonLine({ dataDir, group, kafka: maskKafka(kafka), pipelines, ...(changes && { changes }) }));
    return EXIT.done;
  }
  const partitions = new Map(view?.topics.map((topic) => [topic.name, topic.partitions]));
  const lines = [
    ...kafkaLines(kafkaPreview({ file, kafka }), group),
    ...pipelines.flatMap((pipeline) => planLines(pipeline, 'kafka', partitions.get(pipeline.topic.name))),
    ...(changes === null ? ['What the cluster has of it: sluice plan --connect'] : changeLines(changes, view)),
  ];
  await writeOut(io, `${[...lines.map(printable), nextStep(pipelines)].join('\n')}\n`);
  return EXIT.done;
}

async function kafkaState(hub: HubPlan & { readonly kafka: Json }, { env }: CliIo): Promise<SavedView> {
  const { viewKafka } = await import('../kafka-state.ts');
  const state = await viewKafka(hub, env);
  await state.close();
  return state.view;
}

function nextStep(pipelines: readonly PlannedPipeline[]): string {
  return pipelines.length === 0 ? 'No pipeline was found. A folder with one: sluice init' : 'Run it: sluice run';
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

function changeLines(changes: ReturnType<typeof identityChanges>, view: SavedView | null): readonly string[] {
  if (view === null) return ['nothing has run yet: everything begins at its beginning'];
  if (changes.length === 0) return ['nothing new, nothing gone since the last run'];
  return ['changed since the last run:', ...changes.map(({ text }) => `  ${text}`)];
}
