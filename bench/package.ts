import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { exists } from '../scripts/services/folders.ts';
import { cacheFolder } from './folders.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const sources = ['src', 'connectors', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

/**
 * The folder of the package, built as it is published from the sources of this moment. Each state of the sources is built once, in a folder of its own:
 * whoever builds `dist` meanwhile disturbs no run.
 */
export function builtPackage(): Promise<string> {
  return (built ??= build());
}

let built: Promise<string> | undefined;

/** Takes a package that is built already, to compare with. */
export function usePackage(folder: string): void {
  built = Promise.resolve(folder);
}

async function build(): Promise<string> {
  const folder = join(cacheFolder(), `package-${await fingerprint()}`);
  if (await exists(folder)) return folder;
  const temporary = `${folder}.${process.pid}`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  await cp(join(root, 'package.json'), join(temporary, 'package.json'));
  await symlink(join(root, 'node_modules'), join(temporary, 'node_modules'));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const parameters = [compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(temporary, 'dist')];
  await run(process.execPath, parameters).catch((error: unknown) => {
    const { stdout } = error as { readonly stdout?: string };
    throw new Error(`building the package:\n${stdout ?? String(error)}`);
  });
  // Last: half of a package is never run. Another process may have been faster.
  await rename(temporary, folder).catch(() => rm(temporary, { recursive: true }));
  return folder;
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) {
    const names = source.includes('.') ? [''] : (await readdir(join(root, source), { recursive: true })).sort();
    for (const name of names.filter((each) => each === '' || each.endsWith('.ts'))) {
      hash.update(`${source}/${name}\0`).update(await readFile(join(root, source, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
