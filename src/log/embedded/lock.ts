import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SluiceError } from '../../api/index.ts';

export interface FolderLock {
  release(): Promise<void>;
}

/** Takes a data folder for this process alone. Throws `DATA_FOLDER_IN_USE`. */
export type LockFolder = (dataDir: string) => Promise<FolderLock>;

const LOCK_NAME = 'hub.lock';
/** Only for the message: it may be left from a process that was killed. Never the lock file itself: who closes that loses the lock. */
const HOLDER_NAME = 'hub.pid';
const BUSY = 5;

interface Holder {
  readonly pid: number;
  readonly startedAt: number;
}

/**
 * An exclusive lock of SQLite on an empty database: unlike a file that is there or not, the kernel frees it when the process is gone, whatever ended it.
 */
export const lockFolder: LockFolder = async (dataDir) => {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(join(dataDir, LOCK_NAME));
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) throw await inUseError(dataDir);
    throw new SluiceError('LOG_IO', `locking the data folder "${dataDir}"`, { cause: error });
  }
  const holderPath = join(dataDir, HOLDER_NAME);
  const holder: Holder = { pid: process.pid, startedAt: Math.round(Date.now() - process.uptime() * 1000) };
  await writeFile(holderPath, JSON.stringify(holder), { mode: 0o600 });
  return {
    release: async () => {
      await rm(holderPath, { force: true });
      database.close();
    },
  };
};

function isBusy(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === BUSY;
}

async function inUseError(dataDir: string): Promise<SluiceError> {
  const holder = await readHolder(dataDir);
  const who = holder === null ? 'another process' : `process ${holder.pid} (started ${timeOfDay(holder.startedAt)})`;
  return new SluiceError(
    'DATA_FOLDER_IN_USE',
    `the data folder ${basename(dataDir)} is in use by ${who}. Stop it, or give another data_dir`,
  );
}

/** Null while the other process has not written it yet. */
async function readHolder(dataDir: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(join(dataDir, HOLDER_NAME), 'utf8')) as Holder;
  } catch {
    return null;
  }
}

function timeOfDay(time: number): string {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  const clock = date.toTimeString().slice(0, 5);
  return isToday ? clock : `${date.toISOString().slice(0, 10)} ${clock}`;
}
