import { Command, CommanderError, Help } from 'commander';
import { describeError } from '../api/index.ts';
import type { AddCommand, CommandContext } from './command-line/command.ts';
import { addConnectors } from './command-line/connectors.ts';
import { addDlq } from './command-line/dlq.ts';
import { addInit } from './command-line/init.ts';
import { addLog } from './command-line/log.ts';
import { addOffsets } from './command-line/offsets.ts';
import { addPlan } from './command-line/plan.ts';
import { addProve } from './command-line/prove.ts';
import { addRun } from './command-line/run.ts';
import { addSchema } from './command-line/schema.ts';
import { addSpark } from './command-line/spark.ts';
import { addValidate } from './command-line/validate.ts';
import { addVersion } from './command-line/version.ts';
import { EXIT, exitCodeHelp } from './exit.ts';
import type { CliIo } from './io.ts';
import { packageVersion } from './package-root.ts';

/** In the order in which the help shows them. */
const commands: readonly AddCommand[] = [
  addInit,
  addValidate,
  addPlan,
  addRun,
  addConnectors,
  addSchema,
  addOffsets,
  addDlq,
  addLog,
  addSpark,
  addProve,
  addVersion,
];

/** Runs one command line and resolves with the exit code. Each command's module is loaded only when it is the one asked for. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  let code: number = EXIT.done;
  const end = (result: number): void => {
    code = result;
  };
  try {
    await createProgram({ io, end }).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    io.stderr.write(`sluice: ${describeError(error)}\n`);
    return EXIT.failed;
  }
}

/** The whole command line, for the help and its documentation too. */
export function createProgram(context: CommandContext): Command {
  const { stdout, stderr } = context.io;
  const program = new Command('sluice')
    .description('Moves records between systems and a durable log.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .addHelpText('after', `\n${exitCodeHelp()}`)
    // Flags are off unless given: to say so in each line is noise.
    .configureHelp({
      optionDescription: (option) =>
        option.defaultValue === false ? option.description : new Help().optionDescription(option),
    })
    .exitOverride()
    .configureOutput({ writeOut: (text) => void stdout.write(text), writeErr: (text) => void stderr.write(text) });
  for (const add of commands) add(program, context);
  return program;
}
