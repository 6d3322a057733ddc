/** What the process ends with. Few, so that scripts can tell them apart; `EXIT_MEANING` documents them. */
export const EXIT = {
  done: 0,
  /** Something went wrong that has no code of its own. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** `run --once`, `dlq replay`: everything is delivered, except for dead letters. */
  deadLetters: 3,
  /** Something was left undone: a leg paused or failed, a time-out, a drain that was cut short. */
  unfinished: 4,
  /** Another hub holds the data folder. */
  inUse: 75,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For the help and `docs/configuration.md`. */
export const EXIT_MEANING: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [EXIT.done, 'done'],
  [EXIT.failed, 'something went wrong that has no code of its own'],
  [EXIT.usage, 'the command line or the configuration is wrong'],
  [EXIT.deadLetters, 'run --once, dlq replay: everything is delivered, except for dead letters'],
  [EXIT.unfinished, 'something was left undone: a leg paused or failed, a time-out, a drain that was cut short'],
  [EXIT.inUse, 'another hub holds the data folder'],
];

export function exitCodeHelp(): string {
  return `Exit codes:\n${EXIT_MEANING.map(([code, meaning]) => `  ${String(code).padEnd(3)}  ${meaning}`).join('\n')}`;
}
