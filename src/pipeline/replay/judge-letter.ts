import type { SinkDefinition } from '../../api/index.ts';
import type { PipelinePlan, SinkPlan } from '../../config/index.ts';
import type { SavedTopic } from '../../log/index.ts';
import { MAX_HOPS } from '../dead-letter.ts';
import { findConnector } from '../create-connector.ts';
import type { LegDependencies } from '../leg.ts';
import type { StoredDeadLetter } from '../stored-dead-letter.ts';

/**
 * What a replay does with a letter. `park`: it was refused often enough. `unknown-leg`: the pipeline has it no more. `cut`: only its beginning was kept.
 * `other-topic`: the versions of its sink are offsets, and not of the topic that it was read from. `ranges`: it names ranges of
 * offsets that a job failed on.
 */
export type Judgement = 'replay' | 'park' | 'unknown-leg' | 'cut' | 'other-topic' | 'ranges';

/** A sink of the pipeline, as far as a replay has to know it. */
interface SinkTraits {
  readonly plan: SinkPlan;
  /** Null for one that takes ranges. */
  readonly definition: SinkDefinition | null;
  readonly options: Record<string, unknown>;
  /** It cannot tell an old record from a new one: records come behind those that were written since, and once more with each replay. */
  readonly overwrites: boolean;
  readonly isTied: boolean;
}

export type SinksByName = ReadonlyMap<string, SinkTraits>;

/** Throws what `convertOptions` throws. */
export async function sinkTraits(
  plan: PipelinePlan,
  dependencies: Pick<LegDependencies, 'references' | 'env' | 'registry'>,
): Promise<SinksByName> {
  const found = new Map<string, SinkTraits>();
  for (const sink of plan.sinks) {
    const { definition, options } = await findConnector({ ...dependencies, pipeline: plan }, 'sink', sink);
    const overwrites = definition.promise !== 'effectively-once';
    if (definition.takes === 'ranges') {
      found.set(sink.name, { plan: sink, definition: null, options, overwrites, isTied: false });
      continue;
    }
    const isTied = definition.tiedToTopic?.(options) === true;
    found.set(sink.name, { plan: sink, definition, options, overwrites, isTied });
  }
  return found;
}

export interface JudgeOptions {
  readonly plan: PipelinePlan;
  readonly sinks: SinksByName;
  readonly topics: readonly SavedTopic[];
  readonly allowOverwrite: boolean;
}

export function judgeLetter(letter: StoredDeadLetter, options: JudgeOptions): Judgement {
  const { origin, leg, hops, isParked, reference, code, topic } = letter;
  const { plan, sinks, topics, allowOverwrite } = options;
  const sink = origin === null ? undefined : sinks.get(leg);
  const source = origin === null ? plan.sources.find(({ name }) => name === leg) : undefined;
  if (sink === undefined && source === undefined) return 'unknown-leg';
  if (hops >= MAX_HOPS && !isParked) return 'park';
  // A source hands on the beginning of what is too large.
  if (source !== undefined) return reference !== null || code === 'RECORD_TOO_LARGE' ? 'cut' : 'replay';
  if (sink!.definition === null) return 'ranges';
  if (!sink!.isTied || allowOverwrite) return 'replay';
  const current = topics.find(({ name }) => name === topic)?.incarnation ?? '';
  // Behind it may stand how often the topic was cut.
  return current !== '' && origin!.incarnation.startsWith(current) ? 'replay' : 'other-topic';
}

/** Would writing it again do harm that its sink cannot see? Sources append to the topic whatever they are given. */
export function needsPermission({ origin, leg }: StoredDeadLetter, sinks: SinksByName): boolean {
  return origin === null || sinks.get(leg)?.overwrites === true;
}
