import type { ConnectorContext, Json } from './context.ts';
import type { SluiceError } from './errors.ts';

/** Offsets of one partition: the first, and the one behind the last. Equal: nothing of it. */
export interface JobRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** What one job processes. */
export interface JobBatch {
  /**
   * The same on every attempt, whoever makes it, and of no other batch: letters, digits, `.`, `_` and `-`. A job publishes its output under it, without
   * replacing, and succeeds when it finds that done.
   */
  readonly id: string;
  readonly topic: string;
  readonly incarnation: string;
  /** Every partition of the topic, in order. */
  readonly ranges: readonly JobRange[];
  /** Offsets in all ranges together. Control records and gaps count. */
  readonly offsets: number;
  /** From 1. */
  readonly attempt: number;
  /** Where the records were landed as files, absolute; null when the job reads the topic itself. */
  readonly folder: string | null;
}

/** What a started job is known by, in the words of its sink. Saved, so that another life of the hub finds it. Never a secret. */
export type JobHandle = Json;

/**
 * `passed`: how many offsets of the batch are done already, where the job tells: they are no lag any more. `queued`: started and not at work; `reason` when that will not end by itself. `unknown`: nobody can say what became of it (its master was restarted, or it was a child of a
 * hub that is gone): the batch is submitted again.
 */
export type JobState =
  | { readonly state: 'queued'; readonly reason: string | null; readonly passed?: number }
  | { readonly state: 'running'; readonly passed?: number }
  | { readonly state: 'succeeded' }
  | { readonly state: 'failed'; readonly error: SluiceError }
  | { readonly state: 'unknown' };

/**
 * A sink whose target takes ranges of offsets instead of records: a batch engine that reads them by itself. Each call is one attempt: retries, the deadline, dead
 * letters and what is saved are the engine's. A call that fails throws a SluiceError: it is made again, after a while if it is retryable, otherwise when an operator was asked for.
 */
export interface JobSink {
  /** Looks for a job of this batch that somebody started without having learned its handle; null when none shows. */
  find(batch: JobBatch): Promise<JobHandle | null>;
  /** Starts a job, which may be its second: a job that was started and never answered for cannot be told from none. */
  submit(batch: JobBatch): Promise<JobHandle>;
  look(handle: JobHandle, batch: JobBatch): Promise<JobState>;
  /** Ends the job; resolves when it was told to. One that has ended, or that nobody knows, is none to end. */
  end(handle: JobHandle, batch: JobBatch): Promise<void>;
  /** The last lines that the job wrote, for people; '' when there are none. */
  output(handle: JobHandle, batch: JobBatch): Promise<string>;
  /** The hub ends: jobs that live elsewhere live on, children of the hub do not. */
  close(): Promise<void>;
}

export interface JobSinkContext extends ConnectorContext {
  /** One line for the status display. */
  report(status: string): void;
}

/** How the engine makes batches, and how patient it is with their jobs. Times are milliseconds. */
export interface JobPolicy {
  /** A batch is closed when so many offsets wait … */
  readonly maxRecords: number;
  /** … or so many bytes, as they are stored (then what waits is read and counted); null: they are not counted … */
  readonly maxBytes: number | null;
  /** … or the first has waited so long; null: for ever … */
  readonly maxAgeMs: number | null;
  /** … or at these times (`parseCron` of the toolkit); null: no time. */
  readonly cron: string | null;
  readonly pollMs: number;
  /** A job that takes longer is ended, and counts as failed. */
  readonly deadlineMs: number;
  /** A batch whose job failed so often is given up. */
  readonly attempts: number;
  /** What is done then: dead letters that name its ranges, or the leg pauses. */
  readonly onFailure: 'dead_letter' | 'pause';
  /** Where records are landed for the job; null: it reads the topic. */
  readonly landing: JobLanding | null;
}

export interface JobLanding {
  /** Absolute: batches lie below it under their ids. */
  readonly folder: string;
  /** How bytes stand in the JSON lines. */
  readonly values: 'text' | 'base64';
  /** Folders of batches that are done stay. */
  readonly keep: boolean;
}
