import { type AddCommand, withExamples, withHubFile } from './command.ts';

export const addPlan: AddCommand = (program, { io, end }) => {
  const command = program
    .command('plan')
    .description('show what would run, what each leg promises, and what changed since the last run')
    .option('--json', 'print JSON')
    .action(async ({ json = false, ...flags }: { config?: string; json?: boolean }) => {
      const { plan } = await import('../commands/plan.ts');
      end(await plan({ ...flags, json }, io));
    });
  withHubFile(command);
  withExamples(command, [
    ['sluice plan', 'before a run, or beside one'],
    ['sluice plan --config production.yaml --json', 'for programs'],
  ]);
};
