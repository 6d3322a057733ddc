import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, rename, stat, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DirectorySettings } from './settings.ts';

/** The calls that change files, so that a test can stand between them. As Node's. */
export interface FinishFiles {
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Durable, with the times of the original; overwrites what is there. */
  copy(from: string, to: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
}

export const nodeFinishFiles: FinishFiles = {
  link,
  unlink,
  rename,
  async copy(from, to) {
    await copyFile(from, to);
    const { atime, mtime } = await stat(from);
    await utimes(to, atime, mtime);
    const copy = await open(to, 'r+');
    try {
      await copy.sync();
    } finally {
      await copy.close();
    }
  },
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
  },
};

/** File systems without hard links say it in one of these ways. */
const NO_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Does with a file that was read what the options say. Whenever it is cut short it can be done again: a file that is there under both names is left under the
 * new one. Rejects with `EEXIST` when another file has the new name: nothing is overwritten.
 */
export async function finishFile(
  path: string,
  { onDone, doneSuffix, moveTo, finishFiles: files }: Omit<DirectorySettings, 'storage'>,
): Promise<void> {
  if (onDone === 'keep') return;
  if (onDone === 'delete') {
    await files.unlink(path);
    return;
  }
  if (onDone === 'rename') {
    await giveName(path, path + doneSuffix, files);
    return;
  }
  await files.makeFolder(moveTo!);
  const target = join(moveTo!, basename(path));
  try {
    await giveName(path, target, files);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await moveAcross(path, target, files);
  }
}

/** By way of a second name, since a rename would overwrite what has the name already. */
async function giveName(path: string, target: string, files: FinishFiles): Promise<void> {
  try {
    await files.link(path, target);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (NO_LINKS.includes(code)) {
      await renameInto(path, target, files);
      return;
    }
    if (code !== 'EEXIST' || !(await isSameFile(path, target))) throw error;
  }
  await files.unlink(path);
}

async function renameInto(path: string, target: string, files: FinishFiles): Promise<void> {
  const isFree = await stat(target).then(
    () => false,
    (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT',
  );
  if (!isFree) throw taken(target);
  await files.rename(path, target);
}

/** To another disk: the copy gets its name when it is whole and durable. */
async function moveAcross(path: string, target: string, files: FinishFiles): Promise<void> {
  const isThere = await stat(target).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    const hidden = join(dirname(target), `.${basename(target)}.sluice`);
    await files.copy(path, hidden);
    await giveName(hidden, target, files);
  } else if (!(await holdSame(path, target))) throw taken(target);
  await files.unlink(path);
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => stat(path, { bigint: true })));
  return first!.ino === second!.ino && first!.dev === second!.dev;
}

async function holdSame(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([stat(one), stat(other)]);
  if (first.size !== second.size) return false;
  const rest = createReadStream(other)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for await (const chunk of createReadStream(one) as AsyncIterable<Buffer>) {
    // Equally long files are read in equally long pieces.
    const next = await rest.next();
    if (next.done === true || !chunk.equals(next.value)) return false;
  }
  return true;
}

function taken(target: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`EEXIST: another file has the name '${target}'`);
  return Object.assign(error, { code: 'EEXIST', syscall: 'link' });
}
