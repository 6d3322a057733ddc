import { EXIT } from '../exit.ts';
import { packageVersion } from '../package-root.ts';
import { writeOut } from '../write-out.ts';
import { type AddCommand, withExamples } from './command.ts';

export const addVersion: AddCommand = (program, { io, end }) => {
  const command = program
    .command('version')
    .description('print the versions of Sluice and of Node, and the platform')
    .option('--json', 'print JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const facts = {
        sluice: packageVersion(),
        node: process.versions.node,
        platform: process.platform,
        arch: process.arch,
      };
      const text = `sluice ${facts.sluice} · node ${facts.node} · ${facts.platform} ${facts.arch}`;
      await writeOut(io, `${json ? JSON.stringify(facts) : text}\n`);
      end(EXIT.done);
    });
  withExamples(command, [['sluice version --json', 'for scripts and bug reports']]);
};
