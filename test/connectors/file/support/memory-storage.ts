import { dirname, basename, join } from 'node:path';
import type { FileStatus, Storage, StoredFile } from '../../../../connectors/file/sink/storage.ts';

interface Inode {
  readonly id: number;
  bytes: Buffer;
  /** What a power cut leaves. */
  durable: Buffer;
}

interface Folder {
  readonly entries: Map<string, Inode>;
  durable: Map<string, Inode>;
}

/** The process is gone: no call returns any more. */
export class Killed extends Error {}

/** A file system that forgets, at a power cut, what was not synced: bytes of files and names in folders, each by chance. */
export class MemoryStorage implements Storage {
  readonly #folders = new Map<string, Folder>();
  readonly #random: () => number;
  #nextInode = 1;
  /** Called before each operation; what it throws is the operation's failure. */
  before: (operation: string, path: string) => void = () => undefined;
  /** Bytes that still fit. */
  room = Infinity;

  constructor(random: () => number) {
    this.#random = random;
  }

  files(folder: string): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    for (const [path, { entries }] of this.#folders) {
      const isInside = path === folder || path.startsWith(`${folder}/`);
      if (isInside) for (const [name, { bytes }] of entries) found.set(join(path, name), bytes);
    }
    return found;
  }

  cutPower(): void {
    const inodes = new Set<Inode>();
    for (const folder of this.#folders.values()) {
      for (const name of new Set([...folder.entries.keys(), ...folder.durable.keys()])) {
        const [now, durable] = [folder.entries.get(name), folder.durable.get(name)];
        const kept = now === durable || this.#random() < 0.5 ? now : durable;
        if (kept === undefined) folder.entries.delete(name);
        else folder.entries.set(name, kept);
      }
      folder.durable = new Map(folder.entries);
      for (const inode of folder.entries.values()) inodes.add(inode);
    }
    for (const inode of inodes) {
      if (this.#random() < 0.7) inode.bytes = inode.durable;
      // Blocks that were never written read as zeros.
      else if (this.#random() < 0.5)
        inode.bytes = Buffer.concat([
          inode.durable,
          Buffer.alloc(Math.max(0, inode.bytes.length - inode.durable.length)),
        ]);
      inode.durable = inode.bytes;
    }
  }

  async open(path: string, mode: 'create' | 'existing'): Promise<StoredFile> {
    await this.#step(`open ${mode}`, path);
    const { entries } = this.#folder(path);
    const known = entries.get(basename(path));
    if (mode === 'existing' && known === undefined) throw failure('ENOENT');
    if (mode === 'create' && known !== undefined) throw failure('EEXIST');
    const inode = known ?? { id: this.#nextInode++, bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
    entries.set(basename(path), inode);
    return this.#handle(inode, path);
  }

  async link(from: string, to: string): Promise<void> {
    await this.#step('link', to);
    const inode = this.#folder(from).entries.get(basename(from));
    if (inode === undefined) throw failure('ENOENT');
    const { entries } = this.#folder(to);
    if (entries.has(basename(to))) throw failure('EEXIST');
    entries.set(basename(to), inode);
  }

  async unlink(path: string): Promise<void> {
    await this.#step('unlink', path);
    if (!this.#folder(path).entries.delete(basename(path))) throw failure('ENOENT');
  }

  async read(path: string): Promise<Buffer> {
    await this.#step('read', path);
    const inode = this.#folder(path).entries.get(basename(path));
    if (inode === undefined) throw failure('ENOENT');
    return Buffer.from(inode.bytes);
  }

  async list(folder: string): Promise<readonly string[]> {
    await this.#step('list', folder);
    return [...(this.#folders.get(folder)?.entries.keys() ?? [])];
  }

  async stat(path: string): Promise<FileStatus | null> {
    await this.#step('stat', path);
    if (this.#folders.has(path)) return { size: 0, device: '1', inode: path, links: 1 };
    const inode = this.#folders.get(dirname(path))?.entries.get(basename(path));
    if (inode === undefined) return null;
    const links = [...this.#folders.values()]
      .flatMap(({ entries }) => [...entries.values()])
      .filter((one) => one === inode);
    return { size: inode.bytes.length, device: '1', inode: String(inode.id), links: links.length };
  }

  async makeFolder(folder: string): Promise<void> {
    await this.#step('makeFolder', folder);
    if (!this.#folders.has(folder)) this.#folders.set(folder, { entries: new Map(), durable: new Map() });
  }

  async syncFolder(folder: string): Promise<void> {
    await this.#step('syncFolder', folder);
    const known = this.#folders.get(folder);
    if (known === undefined) throw failure('ENOENT');
    known.durable = new Map(known.entries);
  }

  realPath(path: string): Promise<string> {
    return Promise.resolve(path);
  }

  #handle(inode: Inode, path: string): StoredFile {
    return {
      write: async (bytes, position) => {
        await this.#step('write', path);
        const wanted = this.#random() < 0.2 ? Math.ceil(bytes.length * this.#random()) : bytes.length;
        const count = Math.min(wanted, this.room);
        if (count === 0) throw failure('ENOSPC');
        this.room -= count;
        const length = Math.max(inode.bytes.length, position + count);
        const grown = Buffer.alloc(length);
        inode.bytes.copy(grown);
        grown.set(bytes.subarray(0, count), position);
        inode.bytes = grown;
        return count;
      },
      truncate: async (length) => {
        await this.#step('truncate', path);
        inode.bytes = inode.bytes.subarray(0, length);
      },
      sync: async () => {
        await this.#step('sync', path);
        inode.durable = inode.bytes;
      },
      close: () => Promise.resolve(),
    };
  }

  #folder(path: string): Folder {
    const folder = this.#folders.get(dirname(path));
    if (folder === undefined) throw failure('ENOENT');
    return folder;
  }

  async #step(operation: string, path: string): Promise<void> {
    this.before(operation, path);
    await Promise.resolve();
  }
}

export function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: made up`), { code });
}
