import { InvalidArgumentError, Option } from 'commander';
import { type AddCommand, withDataFolder, withExamples } from './command.ts';

interface Flags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly json: boolean;
}

export const addOffsets: AddCommand = (program, { io, end }) => {
  const offsets = program.command('offsets').description('show or forget where sinks and sources stand');
  const get = offsets
    .command('get')
    .description('where sinks and sources stand, as last saved; beside a running hub too')
    .argument('[leg]', 'PIPELINE, or PIPELINE/NAME of a sink or source')
    .option('--json', 'print JSON', false)
    .action(async (leg: string | undefined, flags: Flags) => {
      const { offsetsGet } = await import('../commands/offsets-get.ts');
      end(await offsetsGet({ ...flags, ...(leg === undefined ? {} : { leg }) }, io));
    });
  withDataFolder(get);
  const forget = offsets
    .command('forget')
    .description('delete what is saved of a sink or source, which then starts anew; the hub must be stopped')
    .argument('<leg>', 'PIPELINE/NAME of a sink or source', parseLeg)
    .option('--source', 'the source of that name')
    .addOption(new Option('--sink', 'the sink of that name').conflicts('source'))
    .option('--json', 'print JSON', false)
    .action(async (leg: Leg, { source, sink, ...flags }: Flags & { source?: boolean; sink?: boolean }) => {
      const { offsetsForget } = await import('../commands/offsets-forget.ts');
      const kind = source === true ? 'source' : sink === true ? 'sink' : null;
      end(await offsetsForget({ ...flags, ...leg, kind }, io));
    });
  withDataFolder(forget);
  withExamples(offsets, [
    ['sluice offsets get', 'everything'],
    ['sluice offsets get access-logs/elasticsearch', 'one sink'],
    ['sluice offsets forget access-logs/old', 'let a sink go that no pipeline has any more'],
  ]);
};

interface Leg {
  readonly pipeline: string;
  readonly leg: string;
}

function parseLeg(text: string): Leg {
  const [pipeline, leg, more] = text.split('/');
  if (pipeline === undefined || pipeline === '' || leg === undefined || leg === '' || more !== undefined) {
    throw new InvalidArgumentError('Give PIPELINE/NAME.');
  }
  return { pipeline, leg };
}
