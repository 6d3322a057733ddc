/** `npm run bench -- [options] [NAME…]`: what a core carries, beside the peers that the machine has. */
import { type BenchOptions, helpText, readOptions } from './options.ts';
import { withBench } from './open-bench.ts';
import { usePackage } from './package.ts';
import { runPaths } from './run-paths.ts';
import { tableText } from './table.ts';
import { writeDocuments } from './write-documents.ts';

const options = readOptions(process.argv.slice(2));
if (options === null) {
  console.error(helpText());
  process.exitCode = 2;
} else if (options.isHelp) console.log(helpText());
else process.exitCode = await main(options);

async function main({ paths, isJson, writes, packageFolder, brokers, ...run }: BenchOptions): Promise<number> {
  if (packageFolder !== null) usePackage(packageFolder);
  const report = await withBench({ brokers, records: run.records }, (bench) =>
    runPaths(paths, bench, { ...run, note: console.error }),
  );
  if (writes) await writeDocuments(report, run);
  console.log(isJson ? JSON.stringify(report) : tableText(report));
  return report.failed.length > 0 ? 1 : 0;
}
