import {
  legPromise,
  type HubPlan,
  type LegPromise,
  type PipelinePlan,
  type SinkPlan,
  type SourcePlan,
  type TopicPlan,
} from '../config/index.ts';
import type { Registry } from '../registry/index.ts';

export interface PlannedLeg extends LegPromise {
  readonly kind: 'source' | 'sink';
  readonly name: string;
  readonly connector: string;
  /** An expression: only records for which it is true. */
  readonly where: string | null;
  /** Where it stands is saved: so it is of every sink, and of sources whose input can be read again. */
  readonly isSaved: boolean;
  /** Where a sink begins that has nothing saved; null for sources. */
  readonly start: SinkPlan['start'] | null;
}

/** A pipeline as `plan` shows it. */
export interface PlannedPipeline {
  readonly name: string;
  readonly file: string;
  readonly topic: TopicPlan;
  /** Another pipeline writes the topic. */
  readonly isReader: boolean;
  readonly legs: readonly PlannedLeg[];
  /** Null: refused records pause their leg. */
  readonly deadLetterTopic: string | null;
}

/** What each pipeline of a hub promises. */
export function plannedPipelines(hub: HubPlan, registry: Registry): Promise<readonly PlannedPipeline[]> {
  return Promise.all(
    hub.pipelines.map(async (pipeline) => ({
      name: pipeline.name,
      file: pipeline.file,
      topic: pipeline.topic,
      isReader: pipeline.sources.length === 0,
      legs: await Promise.all([
        ...pipeline.sources.map((leg) => plannedLeg(hub, pipeline, { kind: 'source', leg, registry })),
        ...pipeline.sinks.map((leg) => plannedLeg(hub, pipeline, { kind: 'sink', leg, registry })),
      ]),
      deadLetterTopic: pipeline.deadLetter.topic,
    })),
  );
}

async function plannedLeg(
  hub: HubPlan,
  pipeline: PipelinePlan,
  { kind, leg, registry }: { kind: 'source' | 'sink'; leg: SourcePlan | SinkPlan; registry: Registry },
): Promise<PlannedLeg> {
  const definition = (await registry.find(kind, leg.connector))!;
  const { name, connector } = leg;
  const [where, start] = 'where' in leg ? [leg.where, leg.start] : [null, null];
  const isSaved = definition.kind === 'sink' || definition.rewinds;
  return { kind, name, connector, where, isSaved, start, ...legPromise(definition, leg, { pipeline, hub }) };
}
