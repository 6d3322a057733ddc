import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { describeError } from '../api/index.ts';
import { EXIT } from './exit.ts';
import type { CliIo } from './io.ts';
import { packageVersion } from './package-root.ts';

/** Runs one command line and resolves with the exit code. Each command's module is loaded only when it is the one asked for. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  let code: number = EXIT.done;
  const program = createProgram(io, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    io.stderr.write(`sluice: ${describeError(error)}\n`);
    return EXIT.failed;
  }
}

function createProgram(io: CliIo, end: (code: number) => void): Command {
  const program = new Command('sluice')
    .description('Moves records between systems and a durable log.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    });
  program
    .command('run')
    .description('run pipelines until Ctrl-C')
    .argument('[pipelines...]', 'names or files of pipelines; all of the hub file without')
    .option('-c, --config <file>', 'the hub file (default: sluice.yaml here)')
    .option('--once', 'end when everything there is has been delivered', false)
    .addOption(
      new Option('--timeout <duration>', 'with --once: give up after').default(300_000, '5m').argParser(milliseconds),
    )
    .option('--verbose', 'say more', false)
    .option('--json', 'log as JSON, one object a line', false)
    .action(async (pipelines: string[], options: RunFlags) => {
      const { run } = await import('./commands/run.ts');
      const { timeout, ...rest } = options;
      end(await run({ ...rest, pipelines, timeoutMs: timeout }, io));
    });
  return program;
}

interface RunFlags {
  readonly config?: string;
  readonly once: boolean;
  readonly timeout: number;
  readonly verbose: boolean;
  readonly json: boolean;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function milliseconds(text: string): number {
  const [, number, unit] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  if (number === undefined || unit === undefined) throw new InvalidArgumentError('Give a duration such as 30s or 5m.');
  return Number(number) * UNITS[unit]!;
}
