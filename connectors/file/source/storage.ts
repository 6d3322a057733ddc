import { constants, readSync, type BigIntStats } from 'node:fs';
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
  /** Does the file hold `bytes[start, stop)` at `position`? For a few of what was read just before. */
  holds(bytes: Buffer, start: number, stop: number, position: number): boolean;
  status(): Promise<FileStatus>;
  close(): Promise<void>;
}

interface FolderEntry {
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

/** An inode that was used again. Where one of the times is not known that cannot be told. */
export function isOther(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one !== other;
}

export function createNodeStorage(): InputStorage {
  const births = new Births();
  return {
    open: async (path) => new NodeFile(await open(path, constants.O_RDONLY | constants.O_NONBLOCK), births),
    stat: async (path) => statusOf(await stat(path, { bigint: true }), births),
    async list(folder) {
      births.learn(await stat(folder, { bigint: true }));
      const entries = await readdir(folder, { withFileTypes: true });
      return entries.map((entry) => ({
        name: entry.name,
        kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other',
      }));
    },
  };
}

/**
 * Where Node knows no time of creation it gives 0, or the time of the last change, which a rename moves. So the times of a device count once a file or folder
 * of it was seen that was changed later than it was made.
 */
class Births {
  readonly #devices = new Set<bigint>();

  learn({ dev, birthtimeNs, ctimeNs }: BigIntStats): void {
    if (birthtimeNs > 0n && birthtimeNs < ctimeNs) this.#devices.add(dev);
  }

  of(stats: BigIntStats): string | null {
    this.learn(stats);
    return this.#devices.has(stats.dev) && stats.birthtimeNs > 0n ? String(stats.birthtimeNs) : null;
  }
}

/** What `holds` reads into. */
const probe = Buffer.allocUnsafeSlow(4096);

class NodeFile implements InputFile {
  readonly #handle: FileHandle;
  readonly #births: Births;

  constructor(handle: FileHandle, births: Births) {
    this.#handle = handle;
    this.#births = births;
  }

  async read(bytes: Buffer, at: number, length: number, position: number): Promise<number> {
    return (await this.#handle.read(bytes, at, length, position)).bytesRead;
  }

  holds(bytes: Buffer, start: number, stop: number, position: number): boolean {
    const length = stop - start;
    if (length > probe.length) throw new RangeError(`${length} bytes are more than are compared at once`);
    // What was just read is in the system's memory: this waits for no disk, and the way through another thread would cost ten times as much.
    const count = readSync(this.#handle.fd, probe, 0, length, position);
    return count === length && bytes.compare(probe, 0, count, start, stop) === 0;
  }

  async status(): Promise<FileStatus> {
    return statusOf(await this.#handle.stat({ bigint: true }), this.#births);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function statusOf(stats: BigIntStats, births: Births): FileStatus {
  return {
    key: `${stats.dev}:${stats.ino}`,
    isFile: stats.isFile(),
    size: Number(stats.size),
    born: births.of(stats),
    modifiedMs: Number(stats.mtimeMs),
    modified: stats.mtimeNs,
    links: Number(stats.nlink),
  };
}
