import type { Clock, ConnectorContext, Logger, Metrics, OutboundRules } from '../api/index.ts';
import type { PipelinePlan, ReferenceRules } from '../config/index.ts';
import type { TopicLog } from '../log/index.ts';
import type { BufferPool } from '../record/index.ts';
import type { Registry } from '../registry/index.ts';
import type { DeadLetterOrigin, DeadLetterTarget } from './dead-letter.ts';
import type { PlaceOf } from './dead-letter-queue.ts';

/** Of a batch around its only record. */
const BATCH_ROOM_BYTES = 1024;

/** What every leg of a pipeline is given. */
export interface LegDependencies {
  readonly pipeline: PipelinePlan;
  readonly hubId: string;
  readonly group: string;
  readonly registry: Registry;
  readonly references: ReferenceRules;
  readonly outbound: OutboundRules;
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
  /** Set while dead letters are replayed. */
  readonly replay?: ReplayTraits;
}

interface ReplayTraits {
  readonly placeOf: PlaceOf;
  readonly resurrect: boolean;
}

export function connectorContext(
  dependencies: LegDependencies,
  own: Pick<ConnectorContext, 'name' | 'signal' | 'waiting'>,
): ConnectorContext {
  const { pipeline, hubId, group, log, metrics, clock, outbound } = dependencies;
  return { pipeline: pipeline.name, hubId, group, log, metrics, clock, outbound, ...own };
}

export function deadLetterOrigin(
  { pipeline }: LegDependencies,
  leg: { readonly name: string; readonly connector: string },
): DeadLetterOrigin {
  const { name, configHash, topic } = pipeline;
  return { pipeline: name, configHash, leg: leg.name, connector: leg.connector, topic: topic.name };
}

/** A record that the topic does not take alone is over the limit too: one that is refused there could not be told from a whole batch. */
export function maxRecordBytesOf({ pipeline, topicLog }: LegDependencies): number {
  const { name, maxRecordBytes } = pipeline.topic;
  return Math.min(maxRecordBytes, topicLog.describe(name).maxBatchBytes - BATCH_ROOM_BYTES);
}

/** The dead-letter topic; null for `dead_letter: off`. */
export function deadLetterTarget({ pipeline, topicLog }: LegDependencies): DeadLetterTarget | null {
  const { topic } = pipeline.deadLetter;
  if (topic === null) return null;
  const { partitions, maxBatchBytes } = topicLog.describe(topic);
  return { topic, partitions, maxBatchBytes };
}
