import { SluiceError, type PositionPlan, type PositionTarget } from '../../api/index.ts';
import type { Left, Wish } from './changes.ts';
import type { LegName } from './entry.ts';
import type { OffsetsState } from './offsets-state.ts';
import { openSourceTools, savedOf } from './source-tools.ts';

export interface Wishes {
  readonly wishes: readonly Wish[];
  readonly left: readonly Left[];
}

interface About {
  readonly leg: LegName;
  readonly env: NodeJS.ProcessEnv;
}

/** What a source's connector says of where it is to go. Throws `OPTION_INVALID`. */
export async function sourceWishes(
  state: OffsetsState,
  {
    leg,
    env,
    moves,
  }: About & { readonly moves: readonly { readonly place: string | null; readonly to: PositionTarget }[] },
): Promise<Wishes> {
  const { tools, options, context } = await openSourceTools(state.plan, leg, env);
  const prefix = state.prefixOf(leg.pipeline, leg.leg);
  const saved = savedOf(state.view, leg, prefix);
  const plans: PositionPlan[] = [];
  for (const { place, to } of moves) plans.push(await tools.plan(options, { to, place, saved }, context));
  return wishesOf(plans, leg, prefix);
}

/** What the connector makes of another program's records. Throws `OPTION_INVALID`. */
export async function importedWishes(
  state: OffsetsState,
  { leg, env, program, path }: About & { readonly program: string; readonly path: string },
): Promise<Wishes> {
  const { tools, options, context, plan } = await openSourceTools(state.plan, leg, env);
  const prefix = state.prefixOf(leg.pipeline, leg.leg);
  if (tools.importFrom === undefined || tools.imports?.includes(program) !== true)
    throw new SluiceError(
      'OPTION_INVALID',
      `importing positions of ${program}: ${plan.connector} knows ${tools.imports?.join(', ') ?? 'those of no other program'}`,
    );
  const saved = savedOf(state.view, leg, prefix);
  return wishesOf([await tools.importFrom(options, { program, path, saved }, context)], leg, prefix);
}

function wishesOf(plans: readonly PositionPlan[], { pipeline, leg }: LegName, prefix: string): Wishes {
  const wishes = plans.flatMap(({ changes }) =>
    changes.map(({ partition, position, note }): Wish => {
      const entry = { kind: 'source', pipeline, leg, partition: `${prefix}${partition}`, position } as const;
      return note === undefined ? { entry } : { entry, note };
    }),
  );
  return { wishes, left: plans.flatMap(({ left }) => left) };
}
