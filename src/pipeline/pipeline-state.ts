import type { LegState, PipelineEvent, PipelineState } from './status.ts';

export type DerivedState = Pick<PipelineEvent, 'state' | 'reason' | 'leg'>;

interface Leg {
  readonly kind: 'source' | 'sink';
  readonly name: string;
  readonly state: LegState;
  readonly reason: string | null;
}

/** Worst first: what each means for the pipeline. */
const WORST: readonly (readonly [LegState, PipelineState])[] = [
  ['paused', 'paused'],
  ['failed', 'degraded'],
  ['backing_off', 'degraded'],
  ['degraded', 'degraded'],
];

/** The pipeline's state follows from its phase and, while it runs, from the leg that is worst off. */
export function deriveState(
  phase: 'running' | 'draining' | 'stopped' | 'failed',
  reason: string | null,
  legs: readonly Leg[],
): DerivedState {
  if (phase !== 'running') return { state: phase, reason, leg: null };
  for (const [legState, state] of WORST) {
    const leg = legs.find((one) => one.state === legState);
    if (leg === undefined) continue;
    const { kind, name } = leg;
    return { state, reason: `${name}: ${leg.reason ?? legState}`, leg: { kind, name } };
  }
  const isStarting = legs.some(({ kind, state }) => kind === 'source' && state === 'starting');
  return { state: isStarting ? 'starting' : 'running', reason: null, leg: null };
}
