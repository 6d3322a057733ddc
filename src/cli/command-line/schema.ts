import { Argument } from 'commander';
import { type AddCommand, withExamples } from './command.ts';

export const addSchema: AddCommand = (program, { io, end }) => {
  const command = program
    .command('schema')
    .description('print the JSON Schema of pipeline files or of the hub file, for editors')
    .addArgument(new Argument('[what]', 'of which files').choices(['pipeline', 'hub']).default('pipeline'))
    .action(async (what: 'pipeline' | 'hub') => {
      const { schema } = await import('../commands/schema.ts');
      end(await schema({ what }, io));
    });
  withExamples(command, [
    ['sluice schema > pipeline.schema.json', 'named by "# yaml-language-server: $schema=pipeline.schema.json"'],
    ['sluice schema hub > hub.schema.json', 'for sluice.yaml'],
  ]);
};
