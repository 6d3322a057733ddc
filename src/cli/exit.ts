/** What the process ends with. Documented in the README; few, so that scripts can tell them apart. */
export const EXIT = {
  done: 0,
  /** Something went wrong that has no code of its own. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** `run --once`: everything is delivered, except for dead letters. */
  deadLetters: 3,
  /** Something was left undone: a leg paused or failed, a time-out, a drain that was cut short. */
  unfinished: 4,
  /** Another hub holds the data folder. */
  inUse: 75,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
