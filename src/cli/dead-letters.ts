import type { HubPlan } from '../config/index.ts';

/** The pipelines with dead letters, and the topics of these. */
export function configuredDeadLetters(plan: HubPlan | null): ReadonlyMap<string, string> {
  const topics = new Map<string, string>();
  for (const { name, deadLetter } of plan?.pipelines ?? []) {
    if (deadLetter.topic !== null) topics.set(name, deadLetter.topic);
  }
  return topics;
}
