import type { Lines } from './lines.ts';
import type { RunningProgram } from './process.ts';
import type { Measurement } from './stage.ts';
import type { Codec } from './system.ts';
import type { Topics } from './topics.ts';

/** What all runs of a bench share. */
export interface Bench {
  /** Of all runs; each makes its own below. */
  readonly folder: string;
  readonly brokers: string;
  readonly topics: Topics;
  lines(records: number): Promise<Lines>;
  /** A topic that holds so many of the lines, in lz4; made once. */
  filledTopic(records: number): Promise<string>;
  elasticsearch(): Promise<string>;
  readonly watch: Watch;
}

/** Told when the part of a run begins and ends that counts, start-up left out. */
export interface Watch {
  begin(running: RunningProgram): Promise<void>;
  end(running: RunningProgram): Promise<void>;
}

export const unwatched: Watch = { begin: () => Promise.resolve(), end: () => Promise.resolve() };

/** A way of records from one place to another, and who carries them there. */
export interface Path {
  readonly name: string;
  /** Its runs are so long that one is enough. */
  readonly isOnce?: boolean;
  readonly contestants: readonly Contestant[];
}

export interface Contestant {
  readonly system: string;
  readonly codec: Codec;
  readonly missing: () => Promise<string | null>;
  /** One run with at most so many records. */
  readonly run: (bench: Bench, records: number) => Promise<Measurement>;
}
