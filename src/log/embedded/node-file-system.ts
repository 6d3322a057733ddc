import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, unlink, type FileHandle } from 'node:fs/promises';
import type { FileSystem, LogFile } from './file-system.ts';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

const FLAGS = {
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  write: constants.O_RDWR,
  read: constants.O_RDONLY,
} as const;

/** The machine's own files. Nobody else may read them: records hold what users sent. */
export const nodeFileSystem: FileSystem = {
  open: async (path, mode) => new NodeLogFile(await open(path, FLAGS[mode], FILE_MODE)),
  list: (folder) => readdir(folder),
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  },
  syncFolder: async (path) => {
    const handle = await open(path, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  rename: (from, to) => rename(from, to),
  remove: (path) => unlink(path),
  removeFolder: (path) => rm(path, { recursive: true, force: true }),
};

class NodeLogFile implements LogFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const { bytesWritten } =
      buffers.length === 1
        ? await this.#handle.write(buffers[0]!, 0, buffers[0]!.length, position)
        : await this.#handle.writev(buffers as Uint8Array[], position);
    return bytesWritten;
  }

  async read(target: Uint8Array, at: number, length: number, position: number): Promise<number> {
    let read = 0;
    while (read < length) {
      const { bytesRead } = await this.#handle.read(target, at + read, length - read, position + read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return read;
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
