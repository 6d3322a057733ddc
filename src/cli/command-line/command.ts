import { Command } from 'commander';
import type { ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';

export interface CommandContext {
  readonly io: CliIo;
  /** Says what the process ends with. */
  readonly end: (code: ExitCode) => void;
}

/**
 * Adds one command, or one with its subcommands, to the program: arguments, flags and help. The implementation (`../commands/`) is imported by the
 * action, so that a command line pays for its own command only.
 */
export type AddCommand = (program: Command, context: CommandContext) => void;

/** The option of every command that reads a hub. */
export function withHubFile(command: Command): Command {
  return command.option('-c, --config <file>', 'the hub file (default: sluice.yaml here)');
}

/** The options of every command that looks into a data folder. */
export function withDataFolder(command: Command): Command {
  return withHubFile(command).option('--data-dir <folder>', 'the data folder itself; no configuration is read then');
}

/** Examples below the help: a command line each, with what it is for. */
export function withExamples(
  command: Command,
  examples: readonly (readonly [line: string, purpose: string])[],
): Command {
  const widest = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, purpose]) => `  $ ${line.padEnd(widest)}   ${purpose}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
