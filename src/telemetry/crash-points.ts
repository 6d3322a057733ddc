/** Where a process can be told to end as by SIGKILL, each with what has happened by then. For tests of delivery only. */
export const crashPoints = {
  'after-read': 'a source has handed over a batch, nothing of it is on its way',
  'after-prepare': 'keys, conditions and dead letters of a commit are worked out',
  'produce-sent': 'a produce request is with the socket',
  'produce-acknowledged': 'a produce request was answered',
  'before-end-transaction': 'everything in a transaction is acknowledged',
  'end-transaction-sent': 'the end of a transaction is with the socket, without an answer',
  'before-client-acknowledged': 'a commit is durable, its source does not know yet',
  'after-client-acknowledged': 'a source was told that its records are durable',
  'before-checkpoint': 'records are acknowledged, their positions are not on their way',
  'checkpoint-acknowledged': 'positions are saved, nobody knows yet',
  'segment-created': 'a segment has its file, which nothing names',
  'segment-synced': 'touched segments are durable, no frame of the journal speaks of them',
  'frame-written': 'a frame of the journal is with the file, perhaps not on the disk',
  'snapshot-written': 'a snapshot of the journal is durable, under a temporary name',
  'journal-begun': 'a generation of the journal has begun, whose snapshot has no name',
  'snapshot-renamed': 'the snapshot has its name, which is perhaps not on the disk',
  'segment-unlinked': 'a file of a segment that retention gave up is gone',
  'sink-sent': 'a write is with its sink',
  'sink-acknowledged': 'a sink has answered, no watermark has moved',
  'sink-flushed': 'what a sink was given is durable, no watermark has moved',
  'file-closed': 'files of a sink are durable under temporary names, nothing lists them',
  'manifest-linked': 'files of a sink are committed, none has its name',
  'file-published': 'a file of a sink has its name, and its temporary one too',
  'offset-commit-sent': 'offsets of a sink are on their way',
  'offset-commit-acknowledged': 'offsets of a sink are saved, nobody knows yet',
  'dead-letter-sent': 'dead letters of a sink are on their way',
  'dead-letter-acknowledged': 'dead letters of a sink are durable, no watermark has moved',
  'job-intent-saved': 'the range of a batch is saved, nobody has heard of it',
  'job-landed': 'the files of a batch are published, no job knows',
  'job-create-sent': 'a job was asked for, the answer is not there',
  'job-created': 'a job is there, what it is known by is not saved',
  'job-running': 'a job runs, and is known',
  'job-succeeded': 'a job succeeded, no offset is saved',
  'job-committed': 'the offsets of a batch are saved, its intent is still there',
} as const;

export type CrashPoint = keyof typeof crashPoints;

interface Armed {
  readonly point: string;
  left: number;
}

const armed = armedBy(process.env);

/** Ends the process without a trace at the nth passing of the point in `SLUICE_CRASH_AT=point:n`; nothing happens unless `SLUICE_TESTING` is 1. */
export function crashPoint(point: CrashPoint): void {
  if (armed?.point !== point || --armed.left > 0) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal may take effect on another thread a moment later: nothing goes on until then.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function armedBy({ SLUICE_TESTING, SLUICE_CRASH_AT = '' }: NodeJS.ProcessEnv): Armed | null {
  if (SLUICE_TESTING !== '1' || SLUICE_CRASH_AT === '') return null;
  const [point = '', nth = '1'] = SLUICE_CRASH_AT.split(':');
  if (!Object.hasOwn(crashPoints, point)) throw new Error(`SLUICE_CRASH_AT: there is no crash point "${point}"`);
  return { point, left: Number(nth) };
}
