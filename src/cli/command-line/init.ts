import { type AddCommand, withExamples } from './command.ts';

export const addInit: AddCommand = (program, { io, end }) => {
  const command = program
    .command('init')
    .description('make a folder with a hub file and a first pipeline; overwrites nothing')
    .argument('[folder]', 'where', '.')
    .action(async (folder: string) => {
      const { init } = await import('../commands/init.ts');
      end(await init({ folder }, io));
    });
  withExamples(command, [
    ['sluice init', 'in this folder'],
    ['sluice init my-hub', 'in a new one'],
  ]);
};
