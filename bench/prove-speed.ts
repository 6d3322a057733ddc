/** `npm run prove:speed [-- options]`: runs the paths that have targets and says which are met. Options are those of `npm run bench`. */
import { helpText, readOptions } from './options.ts';
import { withBench } from './open-bench.ts';
import { usePackage } from './package.ts';
import { runPaths } from './run-paths.ts';
import { tableText, verdictsText } from './table.ts';
import { judge } from './verdicts.ts';
import { writeDocuments } from './write-documents.ts';

/** Rows are kept of these; nothing is asked of them yet. */
const WITHOUT_TARGET = ['idle', 'tails'];

const options = readOptions(process.argv.slice(2));
if (options === null) {
  console.error(helpText());
  process.exitCode = 2;
} else if (options.isHelp) console.log(helpText());
else {
  const { paths, packageFolder, writes, brokers, ...run } = options;
  if (packageFolder !== null) usePackage(packageFolder);
  const needed = paths.filter(({ name }) => !WITHOUT_TARGET.includes(name));
  const report = await withBench({ brokers, records: run.records }, (bench) =>
    runPaths(needed, bench, { ...run, note: console.error }),
  );
  if (writes) await writeDocuments(report, run);
  const verdicts = judge(report.rows);
  console.log(`${tableText(report)}\n\n${verdictsText(verdicts)}`);
  const open = verdicts.filter(({ word }) => word === 'not judged').length;
  if (open > 0) console.log(`${open} of ${verdicts.length} targets were not judged on this machine`);
  const failed = verdicts.filter(({ word }) => word === 'NOT MET').length + report.failed.length;
  console.log(`rows=${verdicts.length} failed=${failed}`);
  process.exitCode = failed > 0 ? 1 : open > 0 ? 3 : 0;
}
