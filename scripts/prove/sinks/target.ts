import type { Hit } from '../kafka/elastic.ts';

/** Where a sink writes to, and what a proof asks of it: by plain requests, nothing of the sink's own. */
export interface Target {
  /** The pipeline's lines for the sink. */
  readonly sink: string;
  /** How many records can be read there. */
  count(): Promise<number>;
  /** The sum of the checksums, by the system's own arithmetic where it has any. */
  sum(): Promise<number>;
  /** Whether `hits` have the ids of their records. */
  readonly hasIds: boolean;
  /** Each record that is there, with `n` and `check`. */
  hits(): AsyncIterable<Hit>;
  /** What is not as it should be beside the records themselves. */
  problems(): Promise<readonly string[]>;
  /** Ends the system, or one half of it after the other, and starts it again with its data. Null when there is nothing that could be. */
  readonly restart: (() => Promise<void>) | null;
  end(): Promise<void>;
}
