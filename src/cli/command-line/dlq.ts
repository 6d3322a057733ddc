import { Option } from 'commander';
import { type AddCommand, withDataFolder, withExamples } from './command.ts';
import { filterOf, withDeadLetterFilter, type FilterFlags } from './dead-letter-filter.ts';
import { positive } from './whole-number.ts';

interface Flags extends FilterFlags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly json: boolean;
}

export const addDlq: AddCommand = (program, { io, end }) => {
  const dlq = program.command('dlq').description('look at dead letters: records that were refused for good');
  const list = dlq
    .command('list')
    .description('count dead letters by their cause')
    .argument('[pipeline]', 'of one pipeline only')
    .option('--json', 'print JSON', false)
    .action(async (pipeline: string | undefined, flags: Flags) => {
      const { dlqList } = await import('../commands/dlq-list.ts');
      end(await dlqList({ ...flags, filter: filterOf(flags), ...(pipeline === undefined ? {} : { pipeline }) }, io));
    });
  withDataFolder(withDeadLetterFilter(list));
  const show = dlq
    .command('show')
    .description('print the newest dead letters of a pipeline, each with its cause')
    .argument('<pipeline>', 'its name')
    .addOption(new Option('--last <number>', 'so many').default(10).argParser(positive))
    .option('--json', 'print JSON, one object a line', false)
    .action(async (pipeline: string, flags: Flags & { last: number }) => {
      const { dlqShow } = await import('../commands/dlq-show.ts');
      end(await dlqShow({ ...flags, filter: filterOf(flags), pipeline }, io));
    });
  withDataFolder(withDeadLetterFilter(show));
  withExamples(dlq, [
    ['sluice dlq list', 'how many, and why'],
    ['sluice dlq show access-logs --last 1', 'the newest'],
  ]);
};
