import type { ReplaySurvey, ReplayTotals } from '../pipeline/index.ts';
import { counted, grouped } from './numbers.ts';

/** What a replay would do. `again`: the command line without the dry run. */
export function surveyLines(
  { records, byLeg, byJudgement }: ReplaySurvey,
  { pipeline, again }: { readonly pipeline: string; readonly again: string },
): readonly string[] {
  if (records === 0) return [`No such dead letters of ${pipeline}.`];
  const legs = byLeg.map(({ kind, leg, records: own }) => `  ${kind} ${leg}: ${counted(own, 'record')}`);
  const others = [
    [byJudgement.park, 'would be parked: they were refused three times'],
    [byJudgement.cut, 'passed over: they are only the beginning of what their source refused'],
    [byJudgement['unknown-leg'], 'passed over: the pipeline has the leg no more that refused them'],
    [
      byJudgement.ranges,
      'passed over: they name ranges of a job; mend it, then give it the offsets again: sluice offsets reset',
    ],
    [byJudgement['other-topic'], 'passed over: versions are offsets, and these are of an earlier topic'],
  ] as const;
  const rest = others.flatMap(([count, what]) => (count === 0 ? [] : [`  ${grouped(count)} ${what}`]));
  const flag = byLeg.some(({ overwrites }) => overwrites) ? ' --allow-overwrite' : '';
  const head = `${counted(records, 'dead letter')} of ${pipeline} would be replayed to whoever refused them:`;
  return [head, ...legs, ...rest, `This was a dry run. Do it: ${again}${flag}`];
}

/** The same for `--json`. */
export function surveyObject({ records, byLeg, byJudgement }: ReplaySurvey): object {
  const { park, cut, 'unknown-leg': unknownLeg, 'other-topic': otherTopic, ranges } = byJudgement;
  return {
    records,
    legs: byLeg,
    parked: park,
    passed: { cut, unknown_leg: unknownLeg, other_topic: otherTopic, ranges },
  };
}

export function totalsObject({ leftOut, ...totals }: ReplayTotals): object {
  return { ...totals, left_out: leftOut };
}

/** Why a replay must be asked for with `--allow-overwrite`; null when it need not. */
export function refusalOf({ byLeg }: ReplaySurvey): string | null {
  const first = byLeg.find(({ overwrites }) => overwrites);
  if (first === undefined) return null;
  const what =
    first.kind === 'sink'
      ? `sink ${first.leg} cannot tell old records from new ones: what is replayed comes behind what was written since`
      : `source ${first.leg} refused some: they go into the topic, for all sinks`;
  return `${what}, and once more with each replay. If that is right: --allow-overwrite`;
}

export interface ReplayTold {
  readonly pipeline: string;
  readonly totals: ReplayTotals;
  /** Why it ended early; null when it did not. */
  readonly reason: string | null;
  readonly reports: ReadonlyMap<string, string>;
  readonly startedAt: Date;
  readonly isResumed: boolean;
}

/** What a replay did, and the next step. `flags`: of its filter. */
export function replayLines(told: ReplayTold, flags: string): readonly string[] {
  const { pipeline, totals, reason, reports, startedAt, isResumed } = told;
  const { records, delivered, refused, leftOut, parked, gone, passed } = totals;
  if (records === 0 && reason === null) return [`No such dead letters of ${pipeline}.`];
  const parts = [
    [delivered, 'delivered'],
    [refused, 'refused again'],
    [leftOut, 'left out'],
    [parked, 'parked: refused three times'],
    [gone, 'not there any more'],
    [passed, 'passed over'],
  ] as const;
  const text = parts.flatMap(([count, what], at) => (count === 0 && at > 0 ? [] : [`${grouped(count)} ${what}`]));
  const whole = isResumed ? ', with those of before it was interrupted' : '';
  const head = `${counted(records, 'dead letter')} of ${pipeline}${whole}: ${text.join(', ')}.`;
  const legs = [...reports].map(([leg, report]) => `  ${leg}: ${report}`);
  return [head, ...legs, nextStep()];

  function nextStep(): string {
    if (reason !== null) return `Not finished: ${reason}. The same command goes on where this stopped.`;
    if (refused > 0) return `Why they were refused: sluice dlq show ${pipeline} --since ${startedAt.toISOString()}`;
    if (parked > 0)
      return `What was parked: sluice dlq list ${pipeline}; once more: sluice dlq replay ${pipeline} --parked`;
    if (gone + passed > 0) return `What was not replayed: sluice dlq replay ${pipeline}${flags} --dry-run`;
    const until = flags.includes('--until') ? '' : ` --until ${startedAt.toISOString()}`;
    return `They stay where they are. To let go of them: sluice dlq purge ${pipeline}${flags}${until}`;
  }
}
