/** Reads what users write, finds everything that is wrong with it, and makes plans of what is right. */
export { convertOptions } from './convert.ts';
export { kafkaPreview, kafkaSettings, maskKafka } from './hub-kafka.ts';
export { hubSchema, pipelineSchema } from './json-schema.ts';
export { loadHub, type LoadedHub, type LoadHubOptions } from './load-hub.ts';
export { maskSecrets } from './mask.ts';
export type {
  DeadLetterPlan,
  HubPlan,
  LegPlan,
  PipelinePlan,
  ReferenceRules,
  SinkPlan,
  SourcePlan,
  TopicPlan,
} from './plan.ts';
export { problemCatalogue, type Problem, type ProblemCode } from './problems.ts';
export { legPromise, type LegPromise } from './promise.ts';
export { commonReference, connectorReference, exampleEntry, type OptionReference } from './reference.ts';
export { didYouMean } from './suggest.ts';
export { formatDuration, formatSize, parseDuration, parseSize } from './units.ts';
