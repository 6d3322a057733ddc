import { type AddCommand, withExamples, withHubFile } from './command.ts';
import { positive, wholeNumber } from './whole-number.ts';

interface ProveFlags {
  readonly config?: string;
  readonly records: number;
  readonly kills: number;
  readonly seed?: number;
  readonly sample?: string;
  readonly doubles: boolean;
  readonly network: boolean;
  readonly keep: boolean;
  readonly json: boolean;
}

export const addProve: AddCommand = (program, { io, end }) => {
  const command = program
    .command('prove')
    .description('kill and cut a copy of a pipeline while probes run through it, and count what arrived')
    .argument('<pipeline>', 'name or file of a pipeline')
    .option('--records <number>', 'probes to send', positive, 20_000)
    .option(
      '--kills <number>',
      'how often its process ends: every second time at a named point of the code',
      wholeNumber,
      8,
    )
    .option('--seed <number>', 'makes the random choices of an earlier trial again', wholeNumber)
    .option(
      '--sample <file>',
      'records of your own, a line each, to put the stamps into: for expressions that look at fields',
    )
    .option('--doubles', 'doubles instead of Elasticsearch, folders of its own instead of yours', false)
    .option('--no-network', 'leave connections alone')
    .option('--keep', 'leave everything that it made', false)
    .option('--json', 'print JSON', false)
    .action(async (pipeline: string, flags: ProveFlags) => {
      const { prove } = await import('../commands/prove.ts');
      const { seed = Date.now() % 1_000_000_000, ...rest } = flags;
      end(await prove({ ...rest, pipeline, seed }, io));
    });
  withHubFile(command);
  withExamples(command, [
    ['sluice prove access-logs', 'against its real endpoints, under names of its own'],
    ['sluice prove pipelines/orders.yaml --sample orders.ndjson', 'with records that its expressions know'],
    ['sluice prove access-logs --doubles --kills 40', 'without any server, longer'],
  ]);
};
