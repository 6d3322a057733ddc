/** Runs one pipeline: sources into the topic log, sinks out of it, watermark, delivery policy. */
export { deadLetterTopics, readDeadLetters, type StoredDeadLetter } from './dead-letter-reader.ts';
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
