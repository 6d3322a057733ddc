import { METRIC } from '../telemetry/index.ts';

/** What the pipeline counts; explained in the catalogue. */
export const COUNTED = {
  recordsIn: METRIC.sourceRecords.name,
  bytesIn: METRIC.sourceBytes.name,
  suppressed: METRIC.sourceSuppressed.name,
  restarts: METRIC.legRestarts.name,
  delivered: METRIC.sinkRecords.name,
  deliveredBytes: METRIC.sinkBytes.name,
  dropped: METRIC.sinkDropped.name,
  retries: METRIC.sinkRetries.name,
  deadLetters: METRIC.deadLetters.name,
  lag: METRIC.sinkLag.name,
  behind: METRIC.sinkBehind.name,
  bufferBytes: METRIC.bufferUsed.name,
  jobBatches: METRIC.jobBatches.name,
  jobAttempts: METRIC.jobAttempts.name,
  jobSeconds: METRIC.jobSeconds.name,
  jobOpen: METRIC.jobOpen.name,
} as const;
