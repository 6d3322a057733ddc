import { dirname } from 'node:path';
import { SluiceError, type CheckContext, type Position, type PositionTools } from '../../api/index.ts';
import { convertOptions, type HubPlan, type PipelinePlan, type SourcePlan } from '../../config/index.ts';
import type { SavedView } from '../../log/index.ts';
import { createRegistry } from '../../registry/index.ts';
import { createLogger, realClock } from '../../telemetry/index.ts';
import type { LegName } from './entry.ts';

type Tools = PositionTools<Record<string, unknown>>;

/** A configured source whose positions can be worked out. */
export interface SourceTools {
  readonly tools: Tools;
  readonly options: Record<string, unknown>;
  readonly context: CheckContext;
  readonly plan: SourcePlan;
}

/** Throws `OPTION_INVALID` for a source that is not configured, or whose input nobody can read again. */
export async function openSourceTools(hub: HubPlan | null, leg: LegName, env: NodeJS.ProcessEnv): Promise<SourceTools> {
  const pipeline = hub?.pipelines.find(({ name }) => name === leg.pipeline);
  const plan = pipeline?.sources.find(({ name }) => name === leg.leg);
  const name = `${leg.pipeline}/${leg.leg}`;
  if (hub === null || pipeline === undefined || plan === undefined)
    throw new SluiceError('OPTION_INVALID', `moving source ${name}: no configured pipeline has it`);
  const definition = await createRegistry().find('source', plan.connector);
  if (definition?.kind !== 'source' || definition.positions === undefined)
    throw new SluiceError(
      'OPTION_INVALID',
      `moving source ${name}: nobody can ask ${plan.connector} for its input again, so it has no positions`,
    );
  return {
    tools: await definition.positions(),
    options: optionsOf(hub, { pipeline, plan, env }, definition),
    context: commandContext(hub),
    plan,
  };
}

/** What is saved of a source on this host, without what is in front of its partitions where hubs share their state. */
export function savedOf({ pipelines }: SavedView, { pipeline, leg }: LegName, prefix: string): Map<string, Position> {
  const sources = pipelines.find((one) => one.pipeline === pipeline)?.sources ?? [];
  return new Map(
    sources.flatMap(({ source, partition, position }) =>
      source === leg && partition.startsWith(prefix) ? [[partition.slice(prefix.length), position] as const] : [],
    ),
  );
}

function optionsOf(
  hub: HubPlan,
  { pipeline, plan, env }: { pipeline: PipelinePlan; plan: SourcePlan; env: NodeJS.ProcessEnv },
  definition: Parameters<typeof convertOptions>[0],
): Record<string, unknown> {
  const context = { references: hub.references, env, baseDir: dirname(pipeline.file) };
  return convertOptions(definition, plan.options, context) as Record<string, unknown>;
}

const DEADLINE_MS = 60_000;

function commandContext({ outbound }: HubPlan): CheckContext {
  const log = createLogger({ level: 'error', destination: { write: () => true }, pretty: false });
  return { log, clock: realClock, outbound, signal: AbortSignal.timeout(DEADLINE_MS) };
}
