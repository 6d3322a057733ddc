import { dirname } from 'node:path';
import { SluiceError, type ConnectorDefinition } from '../api/index.ts';
import { convertOptions, type LegPlan } from '../config/index.ts';
import type { LegDependencies } from './leg.ts';

/** The definition of a leg's connector, and its options as `create` wants them. */
export async function findConnector<Kind extends ConnectorDefinition['kind']>(
  { registry, references, env, pipeline }: Pick<LegDependencies, 'registry' | 'references' | 'env' | 'pipeline'>,
  kind: Kind,
  leg: LegPlan,
): Promise<{ definition: Extract<ConnectorDefinition, { kind: Kind }>; options: Record<string, unknown> }> {
  const found = await registry.find(kind, leg.connector);
  if (found?.kind !== kind)
    throw new SluiceError('OPTION_INVALID', `looking for the ${kind} "${leg.connector}": there is none`);
  const definition = found as Extract<ConnectorDefinition, { kind: Kind }>;
  const context = { baseDir: dirname(pipeline.file), references, env };
  return { definition, options: convertOptions(definition, leg.options, context) as Record<string, unknown> };
}
