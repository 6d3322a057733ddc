import { InvalidArgumentError, Option } from 'commander';
import { type AddCommand, withDataFolder, withExamples, withHubFile } from './command.ts';
import { filterOf, givenFilter, withDeadLetterFilter, type FilterFlags } from './dead-letter-filter.ts';
import { positive } from './whole-number.ts';

interface Flags extends FilterFlags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly json: boolean;
}

interface ReplayFlags extends Omit<Flags, 'dataDir'> {
  readonly parked: boolean;
  readonly rate?: number;
  readonly dryRun: boolean;
  readonly allowOverwrite: boolean;
  readonly resurrect: boolean;
  readonly restart: boolean;
}

interface PurgeFlags extends Omit<Flags, 'dataDir'> {
  readonly parked: boolean;
  readonly execute: boolean;
}

export const addDlq: AddCommand = (program, context) => {
  const dlq = program
    .command('dlq')
    .description('look at dead letters, records that were refused for good; replay or purge them');
  for (const add of [addList, addShow, addStats, addReplay, addPurge]) add(dlq, context);
  withExamples(dlq, [
    ['sluice dlq list', 'how many, and why'],
    ['sluice dlq show access-logs --last 1', 'the newest'],
    ['sluice dlq replay access-logs --code SINK_REJECTED --dry-run', 'what would be written again'],
    ['sluice dlq replay access-logs --code SINK_REJECTED --rate 500/s', 'do it, not too fast'],
    ['sluice dlq purge access-logs --until 7d', 'which older ones could go'],
  ]);
};

const addList: AddCommand = (dlq, { io, end }) => {
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
};

const addShow: AddCommand = (dlq, { io, end }) => {
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
};

const addStats: AddCommand = (dlq, { io, end }) => {
  const stats = dlq
    .command('stats')
    .description('how many dead letters there are, since when, how fast they come and what room they take')
    .argument('[pipeline]', 'of one pipeline only')
    .option('--json', 'print JSON', false)
    .action(async (pipeline: string | undefined, flags: Flags) => {
      const { dlqStats } = await import('../commands/dlq-stats.ts');
      end(await dlqStats({ ...flags, filter: filterOf(flags), ...(pipeline === undefined ? {} : { pipeline }) }, io));
    });
  withDataFolder(withDeadLetterFilter(stats));
};

const addReplay: AddCommand = (dlq, { io, end }) => {
  const replay = dlq
    .command('replay')
    .description(
      'write dead letters again to the sinks and sources that refused them; goes on where it was interrupted',
    )
    .argument('<pipeline>', 'its name')
    .option('--dry-run', 'only say what would be written', false)
    .addOption(new Option('--rate <number>', 'at most so many records a second, as in 500/s').argParser(perSecond))
    .option('--allow-overwrite', 'to a sink that cannot tell an old record from a new one too, and to the topic', false)
    .option('--resurrect', 'documents too that were deleted meanwhile', false)
    .option('--parked', 'those that were parked after several refusals, instead of the others', false)
    .option('--restart', 'from the beginning, not where the same replay was interrupted', false)
    .option('--json', 'print JSON', false)
    .action(async (pipeline: string, { rate, ...flags }: ReplayFlags) => {
      const { dlqReplay } = await import('../commands/dlq-replay.ts');
      const filter = { filter: filterOf(flags), given: givenFilter(flags) };
      end(await dlqReplay({ ...flags, ...filter, pipeline, rate: rate ?? null }, io));
    });
  withHubFile(withDeadLetterFilter(replay));
};

const addPurge: AddCommand = (dlq, { io, end }) => {
  const purge = dlq
    .command('purge')
    .description('give dead letters up for good; a dry run first')
    .argument('<pipeline>', 'its name')
    .option('--parked', 'only those that were parked after several refusals', false)
    .option('--execute', 'do it; without, only what would be gone is shown', false)
    .option('--json', 'print JSON', false)
    .action(async (pipeline: string, flags: PurgeFlags) => {
      const { dlqPurge } = await import('../commands/dlq-purge.ts');
      end(await dlqPurge({ ...flags, filter: filterOf(flags), pipeline }, io));
    });
  withHubFile(withDeadLetterFilter(purge));
};

function perSecond(text: string): number {
  const [, number] = /^(\d{1,9})(?:\/s)?$/.exec(text) ?? [];
  if (number === undefined || Number(number) === 0) throw new InvalidArgumentError('Give a number such as 500/s.');
  return Number(number);
}
