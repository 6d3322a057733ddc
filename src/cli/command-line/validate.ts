import { type AddCommand, withExamples, withHubFile } from './command.ts';

interface ValidateFlags {
  readonly config?: string;
  readonly json?: boolean;
  readonly resolve?: boolean;
  readonly connect?: boolean;
}

export const addValidate: AddCommand = (program, { io, end }) => {
  const command = program
    .command('validate')
    .description('find all mistakes in the hub file and in pipelines, with place and remedy')
    .argument('[pipelines...]', 'names or files of pipelines; all of the hub file without')
    .option('--resolve', 'look up references too: one without a value is an error')
    .option('--connect', 'ask connectors whether they could start here: addresses, folders, systems; implies --resolve')
    .option('--json', 'print JSON')
    .action(async (pipelines: string[], flags: ValidateFlags) => {
      const { validate } = await import('../commands/validate.ts');
      const { json = false, connect = false, resolve = connect, ...rest } = flags;
      end(await validate({ ...rest, pipelines, json, resolve, connect }, io));
    });
  withHubFile(command);
  withExamples(command, [
    ['sluice validate', 'the whole hub'],
    ['sluice validate pipelines/hello.yaml', 'one file'],
    ['sluice validate --connect', 'before a deployment, where it will run'],
  ]);
};
