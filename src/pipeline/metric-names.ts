/** What the pipeline counts; explained in the catalogue of `telemetry`. */
export const COUNTED = {
  recordsIn: 'sluice_source_records_total',
  bytesIn: 'sluice_source_bytes_total',
  suppressed: 'sluice_source_suppressed_total',
  restarts: 'sluice_leg_restarts_total',
  delivered: 'sluice_sink_records_total',
  deliveredBytes: 'sluice_sink_bytes_total',
  dropped: 'sluice_sink_dropped_total',
  retries: 'sluice_sink_retries_total',
  deadLetters: 'sluice_dead_letters_total',
  lag: 'sluice_sink_lag_records',
  behind: 'sluice_sink_behind_seconds',
  bufferBytes: 'sluice_buffer_used_bytes',
} as const;
