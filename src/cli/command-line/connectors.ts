import { type AddCommand, withExamples } from './command.ts';

export const addConnectors: AddCommand = (program, { io, end }) => {
  const command = program
    .command('connectors')
    .description('list connectors, or show the options of one')
    .argument('[name]', 'a connector')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, { json = false }: { json?: boolean }) => {
      const { connectors } = await import('../commands/connectors.ts');
      end(await connectors({ name: name ?? null, json }, io));
    });
  withExamples(command, [
    ['sluice connectors', 'all there are'],
    ['sluice connectors file', 'options and examples of both, source and sink'],
  ]);
};
