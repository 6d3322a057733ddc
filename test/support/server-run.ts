import { execFile } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { startTime } from '../../scripts/services/child.ts';
import { down, known } from '../../scripts/services/services.ts';

const run = promisify(execFile);

/** Where one run of the suite keeps its servers, and why it has none: by the environment, which Jest hands on to every suite. */
const folderVariable = 'SLUICE_TEST_SERVERS';
const missingVariable = 'SLUICE_TEST_SERVERS_MISSING';

const runs = join(tmpdir(), 'sluice-test-servers');

/** Called once before the first suite. Ends what a run left behind that was itself killed. */
export async function beginServerRun(): Promise<void> {
  for (const name of await foldersOf(runs)) {
    const folder = join(runs, name);
    if (!(await hasOwner(folder))) await endServers(folder);
  }
  const folder = join(runs, String(process.pid));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'owner'), (await startTime(process.pid)) ?? '');
  process.env[folderVariable] = folder;
  process.env[missingVariable] = (await missingPrograms()).join(', ');
}

/** Called once after the last suite, also when some failed. Resolves with the names of the suites that were skipped. */
export async function endServerRun(): Promise<string[]> {
  const folder = serverRunFolder();
  const skipped = await readFile(skippedFile(folder), 'utf8').catch(() => '');
  await endServers(folder);
  return skipped.split('\n').filter((name) => name !== '');
}

export function serverRunFolder(): string {
  const folder = process.env[folderVariable];
  if (folder === undefined) throw new Error('servers are for files that are named *.server.test.ts');
  return folder;
}

/** `Java`, `Maven` or both, with a comma; empty when servers can be started. */
export function missingForServers(): string {
  serverRunFolder();
  return process.env[missingVariable] ?? '';
}

/** For the list at the end of the run. At once: a suite is defined synchronously. */
export function noteSkipped(suite: string): void {
  appendFileSync(skippedFile(serverRunFolder()), `${suite}\n`);
}

/** The servers of the run lie in its folder, those that a suite keeps for itself one level below. */
async function endServers(folder: string): Promise<void> {
  const places = [folder, ...(await foldersOf(folder)).map((name) => join(folder, name))];
  await Promise.all(
    places.map(async (place) => Promise.all((await known(place)).map((service) => down(service, place)))),
  );
  await rm(folder, { recursive: true, force: true });
}

async function hasOwner(folder: string): Promise<boolean> {
  const started = await readFile(join(folder, 'owner'), 'utf8').catch(() => '');
  return (await startTime(Number(basename(folder)))) === started;
}

async function foldersOf(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}

async function missingPrograms(): Promise<string[]> {
  const programs = [
    ['Java', 'java', '-version'],
    ['Maven', 'mvn', '--version'],
  ] as const;
  const missing = await Promise.all(
    programs.map(async ([name, command, parameter]) => {
      try {
        await run(command, [parameter]);
        return [];
      } catch {
        return [name];
      }
    }),
  );
  return missing.flat();
}

function skippedFile(folder: string): string {
  return join(folder, 'skipped');
}
