import { dirname } from 'node:path';
import { SluiceError } from '../../api/index.ts';
import type { FileSystem, LogFile } from './file-system.ts';
import { errorCode, isMissing } from './log-errors.ts';

export async function withFile<Result>(
  fileSystem: FileSystem,
  path: string,
  mode: Parameters<FileSystem['open']>[1],
  use: (file: LogFile) => Promise<Result>,
): Promise<Result> {
  const file = await fileSystem.open(path, mode);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** A write that comes short is one that failed: there is no room for the rest. */
export async function writeWhole(file: LogFile, buffers: readonly Uint8Array[], position: number): Promise<void> {
  const wanted = buffers.reduce((sum, { length }) => sum + length, 0);
  const written = await file.write(buffers, position);
  if (written !== wanted) {
    const message = `writing ${wanted} bytes: only ${written} were taken`;
    throw new SluiceError('LOG_FULL', message, { retryable: true });
  }
}

/** At once, not with the next write: the file may never be written again, and bytes that come back would be taken for records. */
export async function cutDurably(file: LogFile, length: number): Promise<void> {
  await file.truncate(length);
  await file.sync();
}

export function readWhole(fileSystem: FileSystem, path: string): Promise<Buffer> {
  return withFile(fileSystem, path, 'read', async (file) => {
    const bytes = Buffer.allocUnsafe(await file.size());
    return bytes.subarray(0, await file.read(bytes, 0, bytes.length, 0));
  });
}

/** Replaces the file at `path` as a whole: after a crash the old one is there, or the new one. */
export async function replaceFile(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeNew(fileSystem, temporary, bytes);
  await fileSystem.rename(temporary, path);
  await fileSystem.syncFolder(dirname(path));
}

/** Whatever lay there is replaced. Durable except for its name: sync the folder. */
export async function writeNew(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  await removeIfThere(fileSystem, path);
  await withFile(fileSystem, path, 'create', async (file) => {
    await writeWhole(file, [bytes], 0);
    await file.sync();
  });
}

/** True when it was there. */
export async function removeIfThere(fileSystem: FileSystem, path: string): Promise<boolean> {
  try {
    await fileSystem.remove(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Empty when there is no such folder. */
export async function listIfThere(fileSystem: FileSystem, folder: string): Promise<string[]> {
  try {
    return await fileSystem.list(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Its name, and the names of those above that had to be made, outlast a crash. */
export async function makeDurableFolder(fileSystem: FileSystem, path: string): Promise<void> {
  const above = dirname(path);
  if (above === path) return;
  const isThere = await isFolder(fileSystem, above);
  if (!isThere) await makeDurableFolder(fileSystem, above);
  await fileSystem.makeFolder(path);
  try {
    await fileSystem.syncFolder(above);
  } catch (error) {
    // A folder that somebody else made above one that may not be looked into.
    if (errorCode(error) !== 'EACCES') throw error;
  }
}

async function isFolder(fileSystem: FileSystem, path: string): Promise<boolean> {
  try {
    await fileSystem.list(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    if (errorCode(error) === 'EACCES') return true;
    throw error;
  }
}
