/** Runs one pipeline: sources into the topic log, sinks out of it, watermark, delivery policy. */
export { STAGES } from './dead-letter.ts';
export { deadLetterTest, type DeadLetterFilter, type LetterTest } from './dead-letter-filter.ts';
export { DeadLetterIndex, deadLetterTopics, type DeadLetterTopics } from './dead-letter-reader.ts';
export { JobDesk, type JobReport, type JobSinkPlace } from './jobs/job-desk.ts';
export { sinkTraits } from './replay/judge-letter.ts';
export { replayDependencies, type ReplaySetting } from './replay/replay-dependencies.ts';
export { Replay, type ReplayTotals } from './replay/replay.ts';
export { surveyReplay, type ReplayChoice, type ReplaySurvey } from './replay/survey.ts';
export { keepOthers, planPurge, type PurgePlan } from './purge-letters.ts';
export { startPipeline, type PipelineDependencies } from './pipeline.ts';
export type {
  DrainReport,
  LegState,
  PipelineEnd,
  PipelineEvent,
  PipelineState,
  PipelineStatus,
  RunningPipeline,
  SinkStatus,
  SourceStatus,
} from './status.ts';
export type { StoredDeadLetter } from './stored-dead-letter.ts';
