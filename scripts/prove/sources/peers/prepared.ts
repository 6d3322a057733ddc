import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** What the proof builds of clients that others wrote is kept here; `SLUICE_PEERS` moves it. */
const peersFolder = process.env.SLUICE_PEERS ?? join(homedir(), '.cache', 'sluice', 'peers');
const LONGEST_INSTALL_MS = 10 * 60_000;
const under = new Map<string, Promise<string>>();

/** The folder that `make` filled, in this run or an earlier one. `name` holds the versions: another version is made anew. */
export function prepared(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const known = under.get(name);
  if (known !== undefined) return known;
  const folder = prepare(join(peersFolder, name), make);
  under.set(name, folder);
  return folder;
}

async function prepare(folder: string, make: (folder: string) => Promise<void>): Promise<string> {
  if (await exists(folder)) return folder;
  const half = `${folder}.half`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { recursive: true });
  await make(half);
  await rename(half, folder);
  return folder;
}

/** Rejects with what the command said: the name of what is missing is in it. */
export async function install(
  command: string,
  parameters: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<void> {
  try {
    await run(command, parameters, { cwd, env: { ...process.env, ...env }, timeout: LONGEST_INSTALL_MS });
  } catch (error) {
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { stderr?: string };
    const said = code === 'ENOENT' ? `${command} is not installed` : stderr.trim().split('\n').slice(-3).join(' ');
    throw new Error(`installing a peer: ${command} ${parameters.join(' ')}: ${said}`, { cause: error });
  }
}

/** Where a command is; null when it is not installed. */
export async function commandAt(name: string): Promise<string | null> {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  for (const folder of folders) if (await exists(join(folder, name))) return join(folder, name);
  return null;
}

/** For `missing` of a row: the first of these commands that is not installed, with what brings it. */
export function lacks(...commands: readonly (readonly [name: string, remedy: string])[]): () => Promise<string | null> {
  return async () => {
    for (const [name, remedy] of commands)
      if ((await commandAt(name)) === null) return `${name} is not installed (${remedy})`;
    return null;
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
