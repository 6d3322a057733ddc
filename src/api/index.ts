/** The contract between Sluice and its connectors, built-in or not. */
export { Type, type Static, type TObject } from '@sinclair/typebox';
export type { BatchBuilder, DataRecord, Headers, RecordBatch, StoredBatch, TopicPartition } from './batch.ts';
export {
  defineJobSink,
  defineSink,
  defineSource,
  type CheckContext,
  type ConnectorDefinition,
  type JobSinkDefinition,
  type OptionProblem,
  type SinkDefinition,
  type SourceDefinition,
  type Stability,
} from './connector.ts';
export type { Clock, ConnectorContext, Json, Logger, Metrics } from './context.ts';
export type {
  JobBatch,
  JobHandle,
  JobLanding,
  JobPolicy,
  JobRange,
  JobSink,
  JobSinkContext,
  JobState,
} from './job-sink.ts';
export { describeError, errorCatalogue, SluiceError, type ErrorCode } from './errors.ts';
export {
  duration,
  expression,
  glob,
  listenAddress,
  path,
  secret,
  size,
  template,
  type Expression,
  type ListenAddress,
  type Template,
} from './options.ts';
export type { OutboundRules } from './outbound.ts';
export type {
  ImportRequest,
  PositionChange,
  PositionPlan,
  PositionRequest,
  PositionTarget,
  PositionText,
  PositionTools,
  SourceName,
} from './positions.ts';
export type { AssignedPartition, Disposition, Failure, RecordFailure, Sink, SinkContext, WriteResult } from './sink.ts';
export type {
  EmitOptions,
  FencedOffsets,
  Position,
  RejectedRecord,
  SealedEmitOptions,
  Source,
  SourceContext,
  SourceFence,
} from './source.ts';
