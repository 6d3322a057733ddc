import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Format } from '../offsets/formats.ts';
import { type AddCommand, withDataFolder, withExamples } from './command.ts';

interface Flags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly json: boolean;
}

interface ChangeFlags extends Flags {
  readonly execute: boolean;
  readonly source?: boolean;
  readonly sink?: boolean;
}

export const addOffsets: AddCommand = (program, context) => {
  const offsets = program.command('offsets').description('see, move, save and compare where sinks and sources stand');
  for (const add of [addGet, addReset, addSet, addExport, addImport, addDiff, addForget]) add(offsets, context);
  withExamples(offsets, [
    ['sluice offsets get', 'everything'],
    ['sluice offsets reset access-logs/elasticsearch --to -2h', 'what would read the last two hours again'],
    ['sluice offsets reset access-logs/elasticsearch --to -2h --execute', 'do it'],
    ['sluice offsets set access-logs/nginx /var/log/nginx/access.log=1048576', 'a file, at a byte'],
    ['sluice offsets export --output before.json', 'keep all there is; import and diff read it'],
    ['sluice offsets import --from fluentd td-agent.pos --leg access-logs/nginx', 'go on where fluentd stopped'],
    ['sluice offsets forget access-logs/old', 'let a sink go that no pipeline has any more'],
  ]);
};

const addGet: AddCommand = (offsets, { io, end }) => {
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
};

const addReset: AddCommand = (offsets, { io, end }) => {
  const reset = offsets
    .command('reset')
    .description('move a stopped sink or source to other offsets, all of it at once')
    .argument('<leg>', 'PIPELINE/NAME of a sink or source', parseLeg)
    .requiredOption('--to <where>', 'earliest, latest, an offset, a time (2026-11-25T08:00:00Z), a duration back (-2h)')
    .option('--only <place>', 'a partition, a path, or topic/partition; may be repeated', collect, [])
    .action(async (leg: Leg, { to, only, source, sink, ...flags }: ChangeFlags & { to: string; only: string[] }) => {
      const { offsetsReset } = await import('../commands/offsets-reset.ts');
      const moves = (only.length === 0 ? [null] : only).map((place) => ({ place, to }));
      end(await offsetsReset({ ...flags, ...leg, kind: kindOf({ source, sink }), moves }, { command: 'reset', io }));
    });
  withKind(withChange(reset));
};

const addSet: AddCommand = (offsets, { io, end }) => {
  const set = offsets
    .command('set')
    .description('move single partitions or files of a stopped sink or source, each to its own offset')
    .argument('<leg>', 'PIPELINE/NAME of a sink or source', parseLeg)
    .argument('<places...>', 'PARTITION=OFFSET, PATH=BYTE or TOPIC/PARTITION=OFFSET, or any other target of `reset`')
    .action(async (leg: Leg, places: string[], { source, sink, ...flags }: ChangeFlags) => {
      const { offsetsReset } = await import('../commands/offsets-reset.ts');
      const moves = places.map(parsePlace);
      end(await offsetsReset({ ...flags, ...leg, kind: kindOf({ source, sink }), moves }, { command: 'set', io }));
    });
  withKind(withChange(set));
};

const addExport: AddCommand = (offsets, { io, end }) => {
  const command = offsets
    .command('export')
    .description('write what is saved into a file; beside a running hub too')
    .argument('[leg]', 'PIPELINE, or PIPELINE/NAME of a sink or source')
    .addOption(
      new Option('--format <format>', 'kafka: of sinks, as kafka-consumer-groups --export and --from-file have it')
        .choices(['json', 'csv', 'kafka'])
        .default('json'),
    )
    .option('-o, --output <file>', 'instead of the standard output')
    .action(async (leg: string | undefined, flags: Omit<Flags, 'json'> & { format: Format; output?: string }) => {
      const { offsetsExport } = await import('../commands/offsets-export.ts');
      end(await offsetsExport({ ...flags, ...(leg === undefined ? {} : { leg }) }, io));
    });
  withDataFolder(command);
};

const addImport: AddCommand = (offsets, { io, end }) => {
  const command = offsets
    .command('import')
    .description(
      'save the positions in a file: of `export`, of kafka-consumer-groups, or of another program that read the same files',
    )
    .argument('<file>', 'JSON or CSV, told by its content; with --from the file or folder of that program')
    .option('--from <program>', 'taildir (Flume), sincedb (Logstash), fluentd, filebeat or fluent-bit')
    .option('--leg <leg>', 'PIPELINE/NAME that the positions are for, or that alone is taken')
    .action(async (file: string, { from, ...flags }: ChangeFlags & { from?: string; leg?: string }) => {
      const { offsetsImport } = await import('../commands/offsets-import.ts');
      end(await offsetsImport({ ...flags, file, from: from ?? null }, io));
    });
  withChange(command);
};

const addDiff: AddCommand = (offsets, { io, end }) => {
  const diff = offsets
    .command('diff')
    .description('compare what is saved with a file of `export` or of kafka-consumer-groups; exit 1 when they differ')
    .argument('<file>', 'JSON or CSV, told by its content')
    .argument('[leg]', 'PIPELINE, or PIPELINE/NAME of a sink or source')
    .option('--json', 'print JSON', false)
    .action(async (file: string, leg: string | undefined, flags: Flags) => {
      const { offsetsDiff } = await import('../commands/offsets-diff.ts');
      end(await offsetsDiff({ ...flags, file, ...(leg === undefined ? {} : { leg }) }, io));
    });
  withDataFolder(diff);
};

const addForget: AddCommand = (offsets, { io, end }) => {
  const forget = offsets
    .command('forget')
    .description('delete what is saved of a sink or source, which then starts anew; the hub must be stopped')
    .argument('<leg>', 'PIPELINE/NAME of a sink or source', parseLeg)
    .option('--json', 'print JSON', false)
    .action(async (leg: Leg, { source, sink, ...flags }: ChangeFlags) => {
      const { offsetsForget } = await import('../commands/offsets-forget.ts');
      end(await offsetsForget({ ...flags, ...leg, kind: kindOf({ source, sink }) }, io));
    });
  withKind(withDataFolder(forget));
};

function withChange(command: Command): Command {
  return withDataFolder(
    command
      .option('--execute', 'do it; without, only what would change is shown', false)
      .option('--json', 'print JSON', false),
  );
}

function withKind(command: Command): Command {
  return command
    .option('--source', 'the source of that name')
    .addOption(new Option('--sink', 'the sink of that name').conflicts('source'));
}

function kindOf({
  source,
  sink,
}: {
  source?: boolean | undefined;
  sink?: boolean | undefined;
}): 'source' | 'sink' | null {
  return source === true ? 'source' : sink === true ? 'sink' : null;
}

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

/** Paths may hold `=`: the last one counts. */
function parsePlace(text: string): { readonly place: string; readonly to: string } {
  const at = text.lastIndexOf('=');
  return { place: text.slice(0, Math.max(at, 0)), to: text.slice(at + 1) };
}

function collect(text: string, before: readonly string[]): string[] {
  return [...before, text];
}
