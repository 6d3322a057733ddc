/** Reads what users write, finds everything that is wrong with it, and makes plans of what is right. */
export { convertOptions } from './convert.ts';
export { loadHub, type LoadedHub, type LoadHubOptions } from './load-hub.ts';
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
export { formatDuration, formatSize, parseDuration, parseSize } from './units.ts';
