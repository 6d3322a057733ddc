import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, exists } from './folders.ts';

const run = promisify(execFile);

/**
 * The folder of the classes whose sources lie in these folders: compiled once for each state of them, and remembered in the cache folder under `name`.
 */
export async function compileJava(
  name: string,
  sources: readonly string[],
  { jars, javac = 'javac' }: { readonly jars: string; readonly javac?: string },
): Promise<string> {
  const files = (await Promise.all(sources.map(javaFilesIn))).flat();
  const hash = createHash('sha256').update(jars);
  for (const file of files.sort()) hash.update(await readFile(file));
  const folder = join(cacheFolder(), `${name}-classes-${hash.digest('hex').slice(0, 12)}`);
  if (await exists(folder)) return folder;
  const temporary = `${folder}.${process.pid}`;
  await mkdir(temporary, { recursive: true });
  await run(javac, ['-proc:none', '-d', temporary, '-cp', jars, ...files]);
  // Last: half-written classes are never used. Another process may have been faster.
  await rename(temporary, folder).catch(() => rm(temporary, { recursive: true }));
  return folder;
}

async function javaFilesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((file) => file.endsWith('.java')).map((file) => join(folder, file));
}
