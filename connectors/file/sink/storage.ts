import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readdir, readFile, realpath, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The calls to the file system that the sink is made of, so that a test can stand between them. Errors are Node's. */
export interface Storage {
  /** `create` fails with EEXIST when there is something; neither follows a symbolic link at the end of `path`. */
  open(path: string, mode: 'create' | 'existing'): Promise<StoredFile>;
  /** Fails with EEXIST when `to` exists: never replaces. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  read(path: string): Promise<Buffer>;
  list(folder: string): Promise<readonly string[]>;
  /** Without following a symbolic link; null when there is nothing. */
  stat(path: string): Promise<FileStatus | null>;
  /** Makes the folder and those above it, durably. */
  makeFolder(folder: string): Promise<void>;
  syncFolder(folder: string): Promise<void>;
  realPath(path: string): Promise<string>;
}

export interface FileStatus {
  readonly size: number;
  readonly device: string;
  readonly inode: string;
  /** Names of the file. */
  readonly links: number;
}

export interface StoredFile {
  /** Writes at `position`, and possibly less than asked for: resolves with the number of bytes. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  truncate(length: number): Promise<void>;
  /** fdatasync. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const EXISTING = constants.O_WRONLY | constants.O_NOFOLLOW;

export const nodeStorage: Storage = {
  open: async (path, mode) => new NodeFile(await open(path, mode === 'create' ? CREATE : EXISTING, 0o644)),
  link,
  unlink,
  read: (path) => readFile(path),
  list: (folder) => readdir(folder),
  async stat(path) {
    try {
      const { size, ino, dev, nlink } = await lstat(path, { bigint: true });
      return { size: Number(size), device: String(dev), inode: String(ino), links: Number(nlink) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  },
  async makeFolder(folder) {
    const first = await mkdir(folder, { recursive: true });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
  },
  syncFolder,
  realPath: (path) => realpath(path),
};

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

class NodeFile implements StoredFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    return (await this.#handle.write(bytes, 0, bytes.length, position)).bytesWritten;
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
