type MetricKind = 'counter' | 'gauge';

export interface MetricDescription {
  /** As Prometheus shows it: unit and, for counters, `_total` at the end. */
  readonly name: string;
  readonly kind: MetricKind;
  readonly unit: 'records' | 'bytes' | 'seconds' | 'state' | 'events' | 'connections' | 'requests';
  /** One sentence with a full stop. */
  readonly help: string;
  /** Which labels its series may have. */
  readonly labels: readonly string[];
}

function counter(
  name: string,
  unit: MetricDescription['unit'],
  labels: readonly string[],
  help: string,
): MetricDescription {
  return { name, kind: 'counter', unit, help, labels };
}

function gauge(
  name: string,
  unit: MetricDescription['unit'],
  labels: readonly string[],
  help: string,
): MetricDescription {
  return { name, kind: 'gauge', unit, help, labels };
}

const source = ['pipeline', 'source'] as const;
const sink = ['pipeline', 'sink'] as const;
const leg = ['pipeline', 'source', 'sink'] as const;

/** Every metric there is. A test holds it against the code and `docs/metrics.md`. */
export const METRIC = {
  sourceRecords: counter(
    'sluice_source_records_total',
    'records',
    source,
    'Records of a source that are durable in the topic.',
  ),
  sourceBytes: counter(
    'sluice_source_bytes_total',
    'bytes',
    source,
    'Bytes of keys, values and headers of those records.',
  ),
  sourceSuppressed: counter(
    'sluice_source_suppressed_total',
    'records',
    source,
    'Repeats of a client that the dedupe window kept out.',
  ),
  legRestarts: counter(
    'sluice_leg_restarts_total',
    'events',
    leg,
    'How often a source or sink was started again after a fault.',
  ),
  sourceLost: counter(
    'sluice_source_lost_total',
    'events',
    source,
    'Datagrams that found no room, in the hub or in the kernel: they are lost.',
  ),
  listenerConnections: gauge(
    'sluice_listener_connections',
    'connections',
    source,
    'Connections of clients that are open.',
  ),
  listenerAccepted: counter(
    'sluice_listener_connections_total',
    'connections',
    source,
    'Connections that were accepted.',
  ),
  listenerTurnedAway: counter(
    'sluice_listener_turned_away_total',
    'events',
    [...source, 'reason'],
    'Connections and requests that were turned away; reason is no_room, evicted (for a newcomer), tls, client (its certificate), address, origin (of a page), credentials or signature.',
  ),
  listenerBytes: counter(
    'sluice_listener_received_bytes_total',
    'bytes',
    source,
    'Bytes that clients sent, of records or not.',
  ),
  listenerHeld: gauge(
    'sluice_listener_held_bytes',
    'bytes',
    source,
    'Memory for what clients sent that is not in the topic yet.',
  ),
  listenerRequests: counter(
    'sluice_listener_requests_total',
    'requests',
    [...source, 'status'],
    'HTTP requests that were answered; status is 2xx, 4xx or 5xx.',
  ),
  listenerSeconds: counter(
    'sluice_listener_request_seconds_total',
    'seconds',
    source,
    'Time from the headers of those requests to their answers, added up.',
  ),
  sinkRecords: counter('sluice_sink_records_total', 'records', sink, 'Records that a sink delivered.'),
  sinkBytes: counter('sluice_sink_bytes_total', 'bytes', sink, 'Bytes of keys, values and headers of those records.'),
  sinkDropped: counter('sluice_sink_dropped_total', 'records', sink, 'Records that `where` left out.'),
  sinkRetries: counter('sluice_sink_retries_total', 'events', sink, 'Writes that are tried again.'),
  sinkExpired: counter(
    'sluice_sink_expired_records_total',
    'records',
    sink,
    'Records that retention deleted before the sink had read them: they are lost to it.',
  ),
  deadLetters: counter(
    'sluice_dead_letters_total',
    'records',
    leg,
    'Records that were refused for good and are in the dead-letter topic.',
  ),
  sinkLag: gauge(
    'sluice_sink_lag_records',
    'records',
    sink,
    'Records between what the sink finished and the ends of the topic.',
  ),
  sinkBehind: gauge(
    'sluice_sink_behind_seconds',
    'seconds',
    sink,
    'Age of the oldest record that the sink has not finished; 0 without lag.',
  ),
  jobBatches: counter(
    'sluice_job_batches_total',
    'events',
    ['pipeline', 'sink', 'outcome'],
    'Batches that a sink of jobs is done with; outcome is succeeded or dead_lettered.',
  ),
  jobAttempts: counter(
    'sluice_job_attempts_total',
    'events',
    ['pipeline', 'sink', 'outcome'],
    'Jobs that ended; outcome is succeeded, failed, deadline (it was ended) or unknown (nobody could say, the batch was submitted again).',
  ),
  jobSeconds: counter('sluice_job_seconds_total', 'seconds', sink, 'Time from submitting jobs to seeing their ends.'),
  jobOpen: gauge('sluice_job_open_records', 'records', sink, 'Offsets of the batch that is under way; 0 for none.'),
  logCommits: counter(
    'sluice_log_commits_total',
    'events',
    ['pipeline'],
    'Group commits that became durable; on the embedded log each takes one fdatasync of the journal, whatever it holds.',
  ),
  logBytes: counter('sluice_log_bytes_total', 'bytes', ['pipeline'], 'Bytes of the record batches of those commits.'),
  bufferUsed: gauge('sluice_buffer_used_bytes', 'bytes', leg, 'Record buffers in use; at the budget the leg waits.'),
  pipelineState: gauge(
    'sluice_pipeline_state',
    'state',
    ['pipeline', 'state'],
    '1 for the state that the pipeline is in, 0 for the others.',
  ),
  pipelineRestarts: counter(
    'sluice_pipeline_restarts_total',
    'events',
    ['pipeline'],
    'How often the supervisor started the pipeline again.',
  ),
  workerRestarts: counter(
    'sluice_worker_restarts_total',
    'events',
    ['worker', 'cause'],
    'Workers that were lost and replaced; cause is crashed, exited, blocked or memory.',
  ),
  workerMemory: gauge('sluice_worker_memory_bytes', 'bytes', ['worker'], 'Heap and external memory of a worker.'),
  info: gauge('sluice_info', 'state', ['version', 'hub'], 'Always 1; says which build runs.'),
  processMemory: gauge('process_resident_memory_bytes', 'bytes', [], 'Resident memory of the whole process.'),
  processCpu: counter('process_cpu_seconds_total', 'seconds', [], 'User and system time of the whole process.'),
  processStart: gauge(
    'process_start_time_seconds',
    'seconds',
    [],
    'When the process started, seconds since the epoch.',
  ),
} as const satisfies Readonly<Record<string, MetricDescription>>;

const byName: ReadonlyMap<string, MetricDescription> = new Map(
  Object.values(METRIC).map((description) => [description.name, description]),
);

/** Undefined for a name that is not in the catalogue. */
export function findMetric(name: string): MetricDescription | undefined {
  return byName.get(name);
}
