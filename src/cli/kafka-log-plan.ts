import type { PipelinePlan } from '../config/index.ts';
import type { KafkaLogPlan } from '../log/index.ts';

/** What a log on Kafka has to know of a pipeline. */
export function kafkaLogPlan({ name, topic, deadLetter, sources }: PipelinePlan): KafkaLogPlan {
  return {
    pipeline: name,
    topic,
    deadLetter: deadLetter.topic === null ? null : { topic: deadLetter.topic },
    sources: sources.map((source) => ({
      name: source.name,
      placement: source.placement,
      isExact: source.delivery === 'exactly_once',
    })),
  };
}
