import { Option } from 'commander';
import { type AddCommand, withExamples, withHubFile } from './command.ts';
import { milliseconds } from './duration.ts';

interface RunFlags {
  readonly config?: string;
  readonly once?: boolean;
  readonly timeout: number;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

export const addRun: AddCommand = (program, { io, end }) => {
  const command = program
    .command('run')
    .description('run pipelines until Ctrl-C')
    .argument('[pipelines...]', 'names or files of pipelines; all of the hub file without')
    .option('--once', 'end when everything there is has been delivered')
    .addOption(
      new Option('--timeout <duration>', 'with --once: give up after').default(300_000, '5m').argParser(milliseconds),
    )
    .option('--verbose', 'say more')
    .option('--json', 'log as JSON, one object a line')
    .action(
      async (pipelines: string[], { timeout, once = false, verbose = false, json = false, ...flags }: RunFlags) => {
        const { run } = await import('../commands/run.ts');
        end(await run({ ...flags, pipelines, once, verbose, json, timeoutMs: timeout }, io));
      },
    );
  withHubFile(command);
  withExamples(command, [
    ['sluice run', 'everything in the hub file'],
    ['sluice run access-logs', 'one pipeline of it'],
    ['sluice run pipelines/hello.yaml --once', 'a file, until its input is delivered'],
  ]);
};
