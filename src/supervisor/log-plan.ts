import type { PipelinePlan } from '../config/index.ts';
import type { PipelineLogPlan } from '../log/index.ts';

/** What the data folder has to know of a pipeline. */
export function logPlan({ name, topic, sources, sinks, deadLetter }: PipelinePlan): PipelineLogPlan {
  return {
    pipeline: name,
    topic,
    writesTopic: sources.length > 0,
    deadLetter: deadLetter.topic === null ? null : { topic: deadLetter.topic, maxBytes: deadLetter.maxBytes },
    sources: sources.map((source) => source.name),
    sinks: sinks.map((sink) => ({ name: sink.name, topic: topic.name })),
  };
}
