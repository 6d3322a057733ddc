import type { Clock, Logger } from '../api/index.ts';
import type { PipelinePlan, ReferenceRules } from '../config/index.ts';
import type { TopicLog } from '../log/index.ts';
import type { Registry } from '../registry/index.ts';
import type { MetricsRecorder } from '../telemetry/index.ts';
import type { PipelineEvent, RunningPipeline } from './status.ts';

export interface PipelineDependencies {
  readonly plan: PipelinePlan;
  readonly hubId: string;
  readonly registry: Registry;
  readonly references: ReferenceRules;
  readonly env: NodeJS.ProcessEnv;
  readonly topicLog: TopicLog;
  /** Bytes of record buffers of this pipeline, shared out among its legs. */
  readonly bufferBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRecorder;
  readonly once: boolean;
  readonly onEvent: (event: PipelineEvent) => void;
  /** For jitter; `Math.random` unless a test wants it repeatable. */
  readonly random?: () => number;
}

export declare function startPipeline(dependencies: PipelineDependencies): RunningPipeline;
