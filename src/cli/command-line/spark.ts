import { InvalidArgumentError, Option } from 'commander';
import { type AddCommand, withExamples, withHubFile } from './command.ts';
import { positive } from './whole-number.ts';

interface Flags {
  readonly config?: string;
  readonly json: boolean;
}

export const addSpark: AddCommand = (program, context) => {
  const spark = program
    .command('spark')
    .description('see the jobs of sinks that have Apache Spark process their records; end one');
  for (const add of [addList, addShow, addKill]) add(spark, context);
  withExamples(spark, [
    ['sluice spark list', 'what each sink is at'],
    ['sluice spark show orders/spark', 'its batch, and the end of what its job wrote'],
    ['sluice spark kill orders/spark', 'end the job; the hub tries its batch again'],
  ]);
};

const addList: AddCommand = (spark, { io, end }) => {
  const list = spark
    .command('list')
    .description('the batch of each sink as saved, and how its job stands; beside a running hub too')
    .argument('[leg]', 'PIPELINE, or PIPELINE/SINK')
    .option('--json', 'print JSON', false)
    .action(async (leg: string | undefined, flags: Flags) => {
      const { sparkList } = await import('../commands/spark-list.ts');
      end(await sparkList({ ...flags, ...(leg === undefined ? {} : { leg }) }, io));
    });
  withHubFile(list);
};

const addShow: AddCommand = (spark, { io, end }) => {
  const show = spark
    .command('show')
    .description('all that is known of a batch, with the end of what its job wrote')
    .argument('<leg>', 'PIPELINE, or PIPELINE/SINK')
    .addOption(new Option('--lines <number>', 'so many of what it wrote').default(20).argParser(positive))
    .option('--json', 'print JSON, one object a line', false)
    .action(async (leg: string, flags: Flags & { lines: number }) => {
      const { sparkShow } = await import('../commands/spark-show.ts');
      end(await sparkShow({ ...flags, leg }, io));
    });
  withHubFile(show);
};

const addKill: AddCommand = (spark, { io, end }) => {
  const kill = spark
    .command('kill')
    .description('end the job of a sink; a running hub counts that as a failed attempt and tries the batch again')
    .argument('<leg>', 'PIPELINE/SINK', parseSink)
    .option('--json', 'print JSON', false)
    .action(async (leg: string, flags: Flags) => {
      const { sparkKill } = await import('../commands/spark-kill.ts');
      end(await sparkKill({ ...flags, leg }, io));
    });
  withHubFile(kill);
};

/** One job at a time is ended. */
function parseSink(text: string): string {
  if (!/^[^/]+\/[^/]+$/.test(text)) throw new InvalidArgumentError('Give PIPELINE/SINK.');
  return text;
}
