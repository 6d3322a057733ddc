import { constants, type BigIntStats } from 'node:fs';
import { open, readdir, stat, type FileHandle } from 'node:fs/promises';

/** The calls to the file system that the source is made of, so that a test can stand between them. Errors are Node's. */
export interface InputStorage {
  /** Follows symbolic links, and never waits for the other end of a pipe. */
  open(path: string): Promise<InputFile>;
  /** Follows symbolic links. */
  stat(path: string): Promise<FileStatus>;
  list(folder: string): Promise<readonly FolderEntry[]>;
}

export interface InputFile {
  /** Reads into `bytes` from its index `at` on. Resolves with the number of bytes; fewer than asked for at the end of the file. */
  read(bytes: Buffer, at: number, length: number, position: number): Promise<number>;
  status(): Promise<FileStatus>;
  close(): Promise<void>;
}

export interface FolderEntry {
  readonly name: string;
  /** `link` may be anything. */
  readonly kind: 'file' | 'folder' | 'link' | 'other';
}

export interface FileStatus {
  /** Device and inode: what a rename does not change. */
  readonly key: string;
  readonly isFile: boolean;
  readonly size: number;
  /** When it was made, as opaque text: tells a file from a deleted one whose inode it got. Null where the file system does not say. */
  readonly born: string | null;
  /** Time of the last write, in milliseconds since the epoch. */
  readonly modifiedMs: number;
  /** The same as exactly as the file system has it, opaque. */
  readonly modified: bigint;
  /** Names of the file; 0 when it was deleted. */
  readonly links: number;
}

export const nodeStorage: InputStorage = {
  open: async (path) => new NodeFile(await open(path, constants.O_RDONLY | constants.O_NONBLOCK)),
  stat: async (path) => statusOf(await stat(path, { bigint: true })),
  async list(folder) {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.map((entry) => ({
      name: entry.name,
      kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other',
    }));
  },
};

class NodeFile implements InputFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(bytes: Buffer, at: number, length: number, position: number): Promise<number> {
    return (await this.#handle.read(bytes, at, length, position)).bytesRead;
  }

  async status(): Promise<FileStatus> {
    return statusOf(await this.#handle.stat({ bigint: true }));
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function statusOf(stats: BigIntStats): FileStatus {
  const { dev, ino, size, birthtimeNs, ctimeNs, mtimeMs, mtimeNs, nlink } = stats;
  return {
    key: `${dev}:${ino}`,
    isFile: stats.isFile(),
    size: Number(size),
    // Where there is no such time Node gives 0 or the time of the last change, which a rename moves.
    born: birthtimeNs === 0n || birthtimeNs >= ctimeNs ? null : String(birthtimeNs),
    modifiedMs: Number(mtimeMs),
    modified: mtimeNs,
    links: Number(nlink),
  };
}
