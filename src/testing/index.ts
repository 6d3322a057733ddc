/** For authors of connectors: harnesses that drive a source or a sink as the engine does, and the delivery ledger. */
export { recordBatch, storedBatch, type TestRecord } from './batches.ts';
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
