import type { LegPromise, SinkPlan, SourcePlan } from '../../config/index.ts';

/** What a trial is run with, wherever it is needed. */
export interface TrialSetting {
  /** Lower-case letters and digits: in the name of everything that the trial makes. */
  readonly run: string;
  /** `-prove-<run>`, behind the names of the user's own topics, indices and folders. */
  readonly suffix: string;
  /** For what is the trial's alone: inputs, plans, output. */
  readonly workFolder: string;
  /** Doubles instead of the real endpoints, and the work folder instead of the user's disks. */
  readonly doubles: boolean;
  /** Records of the user, which are stamped; null: made up. */
  readonly sample: readonly string[] | null;
  readonly env: NodeJS.ProcessEnv;
}

/** A source on trial: its redirected plan, and whoever feeds it. Numbers are its own, from 0. */
export interface ProbeSource {
  readonly plan: SourcePlan;
  readonly count: number;
  /** Have probes of one key an order at the sinks? */
  readonly isOrdered: boolean;
  /** Lets it have its numbers below `end`; returns before they have arrived. */
  feed(end: number): Promise<void>;
  /** Resolves when everything that was fed is the source's to deliver. */
  settled(): Promise<void>;
  /** What it made outside of the trial's own folder. */
  readonly makes: readonly string[];
  close(): Promise<void>;
}

/** A sink on trial: its redirected plan, and whoever reads what it wrote. */
export interface ProbeSink {
  readonly plan: SinkPlan;
  /** Why nobody can tell what arrived; null when somebody can. */
  readonly unjudged: string | null;
  readonly makes: readonly string[];
  /** Hands on every record that it wrote, those of a partition in order. */
  read(take: (record: Uint8Array) => void): Promise<void>;
  close(): Promise<void>;
}

/** A pipeline that a trial cannot be run with yet, and why. */
export class Unprovable extends Error {}

/** A trial that came to no end. */
export class TrialFailed extends Error {}

/** What a sink may do to records on their way, by its source legs and itself. */
export interface SinkPromise {
  readonly mayDuplicate: boolean;
  readonly isOrdered: boolean;
  readonly words: LegPromise['promise'];
}
