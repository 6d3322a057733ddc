/** For authors of connectors and topic logs: harnesses that drive a source or a sink as the engine does, contract suites, a faulty disk, a proxy with faults, and the delivery ledger. */
export { recordBatch, storedBatch, type TestRecord } from './batches.ts';
export { ElasticsearchDouble } from './elasticsearch-double.ts';
export { FaultyDisk, ProcessGone, type DiskFault, type DiskOperation, type MountedDisk } from './faulty-file-system.ts';
export { FaultProxy, type LostReply } from './fault-proxy.ts';
export { freePorts } from './free-ports.ts';
export { kafkaClientContract } from './kafka-client-contract.ts';
export type { KafkaClientCheck, KafkaClientSetting, KafkaLack } from './kafka-client-setting.ts';
export { produceValues, readChunks, readTopic, sealedValues } from './kafka-topics.ts';
export { Ledger, publishedFiles, type LedgerCount, type LedgerOptions } from './ledger.ts';
export { ManualClock } from './manual-clock.ts';
export { createSinkHarness, type RefusedRecord, type SinkHarness, type SinkHarnessOptions } from './sink-harness.ts';
export type { EmittedRecord, HarnessEmit } from './harness-queue.ts';
export {
  createSourceHarness,
  type HarnessLogLine,
  type SourceHarness,
  type SourceHarnessOptions,
} from './source-harness.ts';
export type { Travel } from './proxied-connection.ts';
export { findProbe, ProbeLedger, probeText, type ProbeCount, type ProbeStamp } from './probe-ledger.ts';
export { seededRandom } from './seeded-random.ts';
export { topicLogContract } from './topic-log-contract.ts';
export type { TopicLogCheck, TopicLogSetting } from './topic-log-contract/setting.ts';
