import { join, resolve } from 'node:path';
import { VolatileFile } from './volatile-file.ts';
import { VolatileFolder, type VolatileEntry } from './volatile-folder.ts';

export function namesOf(path: string): string[] {
  return resolve(path)
    .split('/')
    .filter((name) => name !== '');
}

export function find(root: VolatileFolder, path: string): VolatileEntry | undefined {
  let entry: VolatileEntry | undefined = root;
  for (const name of namesOf(path)) {
    if (!(entry instanceof VolatileFolder)) return undefined;
    entry = entry.entries.get(name);
  }
  return entry;
}

export function folderAt(root: VolatileFolder, path: string): VolatileFolder {
  const entry = find(root, path);
  if (entry === undefined) throw failure('ENOENT', path);
  if (entry instanceof VolatileFile) throw failure('ENOTDIR', path);
  return entry;
}

export function fileAt(root: VolatileFolder, path: string): VolatileFile {
  const entry = find(root, path);
  if (entry === undefined) throw failure('ENOENT', path);
  if (entry instanceof VolatileFolder) throw failure('EISDIR', path);
  return entry;
}

export function collect(folder: VolatileFolder, path: string, found: Map<string, Buffer>): void {
  for (const [name, entry] of folder.entries) {
    if (entry instanceof VolatileFile) found.set(join(path, name), entry.bytes);
    else collect(entry, join(path, name), found);
  }
}

/** Each name is a change of its own: a crash may bring back some. */
export function empty(folder: VolatileFolder): void {
  for (const [name, entry] of [...folder.entries]) {
    if (entry instanceof VolatileFolder) empty(entry);
    folder.remove(name);
  }
}

export function failure(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
