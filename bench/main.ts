/** `npm run bench -- [options] [NAME…]`: what a core carries, beside the peers that the machine has. `--help` names the options. */
import { parseArgs } from 'node:util';
import { withBench } from './open-bench.ts';
import { paths } from './paths/index.ts';
import { runPaths } from './run-paths.ts';
import { tableText } from './table.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(parameters: string[]): Promise<number> {
  const { values, positionals: names } = parseArgs({
    args: parameters,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      runs: { type: 'string', default: '5' },
      records: { type: 'string', default: '10000000' },
      only: { type: 'string', multiple: true },
      codec: { type: 'string', multiple: true },
    },
  });
  const chosen = paths
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .map((path) => ({
      ...path,
      contestants: path.contestants.filter(
        ({ system, codec }) => (values.only?.includes(system) ?? true) && (values.codec?.includes(codec) ?? true),
      ),
    }));
  const options = { runs: Number(values.runs), records: Number(values.records), note: console.error };
  const report = await withBench((bench) => runPaths(chosen, bench, options));
  console.log(values.json ? JSON.stringify(report) : tableText(report));
  return 0;
}
