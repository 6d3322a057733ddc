/** `npm run profile -- PATH [--system NAME] [--records N]`: what the hub spends its time and memory on, on a path of the bench. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useNodeOptions } from './hub.ts';
import { readOptions, type BenchOptions } from './options.ts';
import { withBench } from './open-bench.ts';
import { usePackage } from './package.ts';
import type { Contestant, Watch } from './path.ts';
import { profileReport } from './profile-report.ts';
import { paths } from './paths/index.ts';
import { describeRun } from './run-paths.ts';

const options = readOptions(process.argv.slice(2));
const path = options?.paths[0];
// One of ours: nothing else is watched from within.
const contestant = path?.contestants.find(({ system }) => system.startsWith('sluice'));
if (options?.paths.length !== 1 || contestant === undefined) {
  console.error(`Usage: npm run profile -- PATH [--system NAME] [--codec NAME] [--records N] [--package FOLDER]
  PATH  one of ${paths.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
} else await profile(path!.name, contestant, options);

async function profile(
  name: string,
  hub: Contestant,
  { packageFolder, records, brokers }: BenchOptions,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), `sluice-profile-${name}-`));
  if (packageFolder !== null) usePackage(packageFolder);
  useNodeOptions({
    parameters: ['--import', new URL('processes/profiler.ts', import.meta.url).href],
    environment: { SLUICE_PROFILE_FOLDER: folder },
  });
  const measured = await withBench({ brokers, records, watch: watchInto(folder) }, (bench) => hub.run(bench, records));
  console.log(describeRun(name, hub, 'profiled', measured));
  console.log(
    `\n${await profileReport(folder)}\n\nFor a flame chart open the .cpuprofile in ${folder} in a browser's developer tools.`,
  );
}

function watchInto(folder: string): Watch {
  const endingWith = async (suffix: string): Promise<number> =>
    (await readdir(folder)).filter((name) => name.endsWith(suffix)).length;
  return {
    async begin(running) {
      // Before it, the signal would end the process.
      await running.until(() => existsSync(join(folder, `${running.pid}.ready`)), 'the profiler');
      running.signal('SIGUSR2');
      await running.until(() => existsSync(join(folder, 'main.begun')), 'the profiler to begin');
    },
    async end(running) {
      running.signal('SIGUSR2');
      await running.until(async () => (await endingWith('.json')) === (await endingWith('.begun')), 'the profiles');
    },
  };
}
