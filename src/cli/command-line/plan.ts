import { type AddCommand, withExamples, withHubFile } from './command.ts';

interface PlanFlags {
  readonly config?: string;
  readonly connect?: boolean;
  readonly json?: boolean;
}

export const addPlan: AddCommand = (program, { io, end }) => {
  const command = program
    .command('plan')
    .description('show what would run, what each leg promises, and what changed since the last run')
    .option('--connect', 'ask Kafka, too: what is there, and what changed since the last run')
    .option('--json', 'print JSON')
    .action(async ({ connect = false, json = false, ...flags }: PlanFlags) => {
      const { plan } = await import('../commands/plan.ts');
      end(await plan({ ...flags, connect, json }, io));
    });
  withHubFile(command);
  withExamples(command, [
    ['sluice plan', 'before a run, or beside one'],
    ['sluice plan --config production.yaml --json', 'for programs'],
  ]);
};
