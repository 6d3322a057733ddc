import { Option } from 'commander';
import { type AddCommand, withDataFolder, withExamples } from './command.ts';
import { positive, wholeNumber } from './whole-number.ts';

interface Flags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly json: boolean;
}

interface RepairFlags extends Flags {
  readonly execute: boolean;
}

interface DumpFlags extends Flags {
  readonly partition?: number;
  readonly from?: number;
  readonly limit: number;
}

export const addLog: AddCommand = (program, { io, end }) => {
  const log = program.command('log').description('check or repair the embedded log, or print what lies in it');
  const check = log
    .command('check')
    .description('read all files of the data folder and tell which are damaged; changes nothing')
    .option('--json', 'print JSON, one object a line', false)
    .action(async (flags: Flags) => {
      const { logCheck } = await import('../commands/log-check.ts');
      end(await logCheck(flags, io));
    });
  withDataFolder(check);
  const repair = log
    .command('repair')
    .description('put damaged journals and topics together again from what can be read; a dry run first')
    .option('--execute', 'do it, while no hub runs on the folder', false)
    .option('--json', 'print JSON, one object a line', false)
    .action(async (flags: RepairFlags) => {
      const { logRepair } = await import('../commands/log-repair.ts');
      end(await logRepair(flags, io));
    });
  withDataFolder(repair);
  const dump = log
    .command('dump')
    .description('print records of a topic')
    .argument('<topic>', 'its name')
    .addOption(new Option('--partition <number>', 'one partition only').argParser(wholeNumber))
    .addOption(new Option('--from <offset>', 'begin there').argParser(wholeNumber))
    .addOption(new Option('--limit <number>', 'so many records').default(100).argParser(positive))
    .option('--json', 'print JSON, one object a line', false)
    .action(async (topic: string, { partition, from, ...flags }: DumpFlags) => {
      const { logDump } = await import('../commands/log-dump.ts');
      end(await logDump({ ...flags, topic, partition: partition ?? null, from: from ?? null }, io));
    });
  withDataFolder(dump);
  withExamples(log, [
    ['sluice log check', 'is everything readable?'],
    ['sluice log repair', 'what would be done about it?'],
    ['sluice log dump access-logs --partition 3 --from 88123 --limit 1', 'one record'],
  ]);
};
