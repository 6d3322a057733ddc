import type { LegDraft } from './load-leg.ts';
import type { PipelineDraft } from './pipeline-draft.ts';
import type { HubPlan } from './plan.ts';
import type { ProblemList, ValuePath } from './problems.ts';
import { own } from './schema.ts';

const RECORD_WORDS = {
  where: 'a job sees every record of its ranges, so leave records out in the job',
  batch: 'a job gets ranges of offsets, whose size is an option of its connector',
} as const;

/** Sinks that take ranges of offsets cannot do what looks into records, and their jobs cannot look into the embedded log. */
export function checkJobSinks(
  drafts: readonly PipelineDraft[],
  { kafka }: Pick<HubPlan, 'kafka'>,
  problems: ProblemList,
): void {
  for (const { file, legs } of drafts) {
    for (const leg of legs) {
      const refuse = (path: ValuePath, message: string): void => {
        problems.add(file, [...leg.path, ...path], { code: 'CONFIG_OPTION_CONFLICT', message, at: 'key' });
      };
      checkLeg(leg, kafka === null, refuse);
    }
  }
}

function checkLeg(
  { definition, entry, preview }: LegDraft,
  isEmbedded: boolean,
  refuse: (path: ValuePath, message: string) => void,
): void {
  if (definition?.kind !== 'sink' || definition.takes !== 'ranges') return;
  const { name } = definition;
  for (const [word, why] of Object.entries(RECORD_WORDS))
    if (own(entry.words, word) !== undefined) refuse([word], `\`${word}\` does not go with ${name}: ${why}`);
  if (!isEmbedded || preview === null || definition.policy(preview as never).landing !== null) return;
  const land = Object.hasOwn(definition.options.properties, 'land') ? `set \`land\` of ${name}, or` : 'set';
  refuse([name], `jobs cannot read the embedded log: ${land} \`kafka\` in the hub file`);
}
