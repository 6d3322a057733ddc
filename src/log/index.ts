/** The topic log: the interface, and the embedded log on local disk. */
export { checkDataFolder, type CheckResult } from './embedded/check.ts';
export { openDataFolder, readHubId, type DataFolder, type DataFolderOptions } from './embedded/data-folder.ts';
export {
  readDataFolder,
  type DataFolderView,
  type ReadDataFolderOptions,
  type TopicView,
} from './embedded/data-folder-view.ts';
export { openEmbeddedLog, type EmbeddedLogOptions, type EmbeddedTopicLog } from './embedded/embedded-log.ts';
export type { FileSystem, LogFile } from './embedded/file-system.ts';
export { repairDataFolder, type RepairFinding, type RepairOptions } from './embedded/repair/repair-data-folder.ts';
export type { LogLimits } from './embedded/limits.ts';
export { lockFolder, type FolderLock, type LockFolder } from './embedded/lock.ts';
export type { EmbeddedLogState, PipelineLogPlan } from './embedded/log-state.ts';
export { nodeFileSystem } from './embedded/node-file-system.ts';
export { changeKafkaState } from './kafka/change-state.ts';
export { checkKafkaLog, type KafkaLogFinding } from './kafka/check-log.ts';
export { forgetKafkaSink, forgetKafkaSource, type ForgetOptions } from './kafka/forget.ts';
export { ownSourcePrefix, sinkGroup, transactionalId, type Owner } from './kafka/identities.ts';
export { openKafkaLog } from './kafka/kafka-log.ts';
export type { KafkaLogOptions, KafkaLogPlan } from './kafka/options.ts';
export { COMMIT_AFTER_BYTES, COMMIT_AFTER_MS } from './kafka/transaction-line.ts';
export { readKafkaState } from './kafka/saved-state.ts';
export { jobIntents } from './job-intents.ts';
export type { SavedChanges } from './saved-changes.ts';
export { parkingTopic } from './parking-topic.ts';
export type { PipelineView, SavedTopic, SavedView } from './saved-view.ts';
export type {
  Assignment,
  CommitRequest,
  FetchedChunk,
  PositionClaim,
  SealedBatch,
  SubscribeOptions,
  SubscriptionEvent,
  TopicDescription,
  TopicLog,
  TopicSubscription,
} from './topic-log.ts';
