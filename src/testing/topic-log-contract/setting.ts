import type { TopicLog } from '../../log/index.ts';

/** A topic log of its own for each check, with nothing in it. */
export interface TopicLogSetting {
  /** The one topic of the pipeline, with three partitions. Its sources are `source`, `one` and `two`. */
  readonly topic: string;
  /** Opens the log of the pipeline; after it was closed, the same log again. */
  readonly open: () => Promise<TopicLog>;
  /** From now on, until the opposite is said, the store refuses what the log writes to the topic. */
  readonly failWrites: (isFailing: boolean) => Promise<void>;
  /** The codes of what a commit then rejects with. */
  readonly refusals: readonly string[];
}

export interface TopicLogCheck {
  readonly name: string;
  /** Rejects when the log breaks its promise. */
  run(setting: TopicLogSetting): Promise<void>;
}
