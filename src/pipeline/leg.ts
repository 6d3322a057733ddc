import type { Clock, ConnectorContext, Logger, Metrics } from '../api/index.ts';
import type { PipelinePlan, ReferenceRules } from '../config/index.ts';
import type { TopicLog } from '../log/index.ts';
import type { BufferPool } from '../record/index.ts';
import type { Registry } from '../registry/index.ts';
import type { DeadLetterOrigin } from './dead-letter.ts';

/** What every leg of a pipeline is given. */
export interface LegDependencies {
  readonly pipeline: PipelinePlan;
  readonly hubId: string;
  readonly group: string;
  readonly registry: Registry;
  readonly references: ReferenceRules;
  readonly env: NodeJS.ProcessEnv;
  readonly topicLog: TopicLog;
  readonly pool: BufferPool;
  readonly clock: Clock;
  /** Bound to pipeline and leg. */
  readonly log: Logger;
  /** Bound to pipeline and leg. */
  readonly metrics: Metrics;
  readonly once: boolean;
  readonly random: () => number;
  readonly onChange: () => void;
  /** The topic log is of no use any more. */
  readonly onLogLost: (error: unknown) => void;
}

export function connectorContext(
  dependencies: LegDependencies,
  own: Pick<ConnectorContext, 'name' | 'signal' | 'waiting'>,
): ConnectorContext {
  const { pipeline, hubId, group, log, metrics, clock } = dependencies;
  return { pipeline: pipeline.name, hubId, group, log, metrics, clock, ...own };
}

export function deadLetterOrigin(
  { pipeline }: LegDependencies,
  leg: { readonly name: string; readonly connector: string },
): DeadLetterOrigin {
  const { name, configHash, topic } = pipeline;
  return { pipeline: name, configHash, leg: leg.name, connector: leg.connector, topic: topic.name };
}

/** The dead-letter topic; null for `dead_letter: off`. */
export function deadLetterTarget({
  pipeline,
  topicLog,
}: LegDependencies): { readonly topic: string; readonly partitions: number } | null {
  const { topic } = pipeline.deadLetter;
  return topic === null ? null : { topic, partitions: topicLog.describe(topic).partitions };
}
