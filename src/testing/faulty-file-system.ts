import { basename, dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FileSystem, LogFile } from '../log/index.ts';
import { collect, empty, failure, fileAt, find, folderAt, namesOf } from './disk-tree.ts';
import { seededRandom } from './seeded-random.ts';
import { VolatileFile } from './volatile-file.ts';
import { VolatileFolder } from './volatile-folder.ts';

/** What changes something that a crash could lose, or settles it. */
type ChangingKind =
  'create' | 'write' | 'sync' | 'truncate' | 'makeFolder' | 'syncFolder' | 'rename' | 'remove' | 'removeFolder';

export interface DiskOperation {
  readonly kind: ChangingKind | 'open' | 'list' | 'read' | 'size' | 'close';
  /** Of a rename the path before it. */
  readonly path: string;
  /** Of a rename the path after it, otherwise `path`. */
  readonly target: string;
  /** Bytes to be written; 0 for all others. */
  readonly bytes: number;
  /** Which of the changing operations of the disk it is, counted from 1; for others the number of those before it. */
  readonly number: number;
}

/**
 * An error code such as `EIO` or `ENOSPC`; of a write only the first `short` bytes; or `gone`: the process ends in the midst of it. A failed sync loses bytes as `VolatileFile.failSync`
 * says, a failed write may have written a part.
 */
export type DiskFault = 'EIO' | 'ENOSPC' | 'EMFILE' | 'EACCES' | 'EROFS' | 'gone' | { readonly short: number };

/** What operations of a process that is no more reject with. */
export class ProcessGone extends Error {
  readonly code = 'EIO';

  constructor() {
    super('the process is gone');
  }
}

export interface MountedDisk extends FileSystem {
  /** Aborts when the process that mounted it is gone. */
  readonly gone: AbortSignal;
}

/**
 * A disk in memory for processes that come and go. Bytes that were not synced, and names whose folder was not synced, are lost at `crash` by a seeded chance: kept, lost or
 * torn, in any combination that POSIX allows. Faults are set by `onOperation`, by `capacityBytes`, and by `endAt`.
 */
export class FaultyDisk {
  /** Of all files together. A write that fits in part is short; one that fits not at all, and a new file on a full disk, fail with `ENOSPC`. */
  capacityBytes = Infinity;
  /** Called before each operation: what it returns happens. It may hold the operation up by a promise. */
  onOperation: ((operation: DiskOperation) => DiskFault | undefined | Promise<DiskFault | undefined>) | null = null;
  readonly #random: () => number;
  #root = new VolatileFolder();
  #changes = 0;
  #endAt = Infinity;
  #life = new AbortController();

  constructor(seed = 1) {
    this.#random = seededRandom(seed);
  }

  /** Changing operations so far, of all processes. */
  get operations(): number {
    return this.#changes;
  }

  get usedBytes(): number {
    let bytes = 0;
    for (const content of this.files().values()) bytes += content.length;
    return bytes;
  }

  /** As a process sees it. All that are mounted go together. */
  mount(): MountedDisk {
    return new Mount(this.#life.signal, this.#random, this);
  }

  /** From the `count`-th changing operation on, counted from now, the process is gone; whether that one still took effect is left to chance. */
  endAt(count: number): void {
    this.#endAt = this.#changes + count;
  }

  /** The process is gone: the operating system still has what it wrote. */
  kill(): void {
    this.#life.abort(new ProcessGone());
    this.#life = new AbortController();
    this.#endAt = Infinity;
  }

  /** The power is gone, and the process with it. */
  crash(): void {
    this.kill();
    // Neither everything lost nor everything kept is likely when each change is decided alone, and both are what real disks do most.
    const survival = [0, 1, 0.5, 0.8][Math.floor(this.#random() * 4)]!;
    this.#root.crash(this.#random, survival);
  }

  /** What is here now, durable, on a disk of its own. */
  copy(seed: number): FaultyDisk {
    const copy = new FaultyDisk(seed);
    copy.#root = this.#root.copy();
    return copy;
  }

  /** All files below a folder, by path, as processes see them. The bytes are valid until the next change. */
  files(folder = '/'): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    const start = find(this.#root, folder);
    if (start instanceof VolatileFolder) collect(start, folder, found);
    return found;
  }

  /** A copy; throws when there is no such file. */
  contentOf(path: string): Buffer {
    return Buffer.from(fileAt(this.#root, path).bytes);
  }

  /** Puts durable bytes there, as an operator or rotten hardware would. */
  replace(path: string, bytes: Uint8Array): void {
    const folder = folderAt(this.#root, dirname(path));
    folder.add(basename(path), VolatileFile.of(bytes));
    folder.sync();
  }

  /** Takes a file or a folder away, durably. */
  take(path: string): void {
    const folder = folderAt(this.#root, dirname(path));
    if (!folder.entries.has(basename(path))) throw failure('ENOENT', path);
    folder.remove(basename(path));
    folder.sync();
  }

  /** For the mounts: the root, once the operation's turn has come and nothing is in its way. */
  async begin(
    operation: Omit<DiskOperation, 'number'>,
    life: AbortSignal,
  ): Promise<{ root: VolatileFolder; fault: DiskFault | undefined }> {
    refuseGone(life);
    if (isChanging(operation.kind)) this.#changes++;
    const isLast = this.#changes >= this.#endAt && isChanging(operation.kind);
    const fault = await this.onOperation?.({ ...operation, number: this.#changes });
    await nextTurn();
    refuseGone(life);
    return { root: this.#root, fault: isLast ? 'gone' : fault };
  }
}

function refuseGone(life: AbortSignal): void {
  if (life.aborted) throw new ProcessGone();
}

const changing: ReadonlySet<string> = new Set<ChangingKind>([
  'create',
  'write',
  'sync',
  'truncate',
  'makeFolder',
  'syncFolder',
  'rename',
  'remove',
  'removeFolder',
]);

function isChanging(kind: DiskOperation['kind']): boolean {
  return changing.has(kind);
}

class Mount implements MountedDisk {
  readonly gone: AbortSignal;
  readonly #random: () => number;
  readonly #disk: FaultyDisk;

  constructor(gone: AbortSignal, random: () => number, disk: FaultyDisk) {
    this.gone = gone;
    this.#random = random;
    this.#disk = disk;
  }

  open(path: string, mode: 'create' | 'write' | 'read'): Promise<LogFile> {
    return this.run({ kind: mode === 'create' ? 'create' : 'open', path }, (root): LogFile => {
      if (mode !== 'create') return new OpenFile(fileAt(root, path), path, mode === 'write', this);
      const folder = folderAt(root, dirname(path));
      if (folder.entries.has(basename(path))) throw failure('EEXIST', path);
      if (this.room <= 0) throw failure('ENOSPC', path);
      const file = new VolatileFile();
      folder.add(basename(path), file);
      return new OpenFile(file, path, true, this);
    });
  }

  list(folder: string): Promise<string[]> {
    return this.run({ kind: 'list', path: folder }, (root) => [...folderAt(root, folder).entries.keys()]);
  }

  makeFolder(path: string): Promise<void> {
    return this.run({ kind: 'makeFolder', path }, (root) => {
      let folder = root;
      for (const name of namesOf(path)) {
        const known = folder.entries.get(name);
        if (known instanceof VolatileFile) throw failure('EEXIST', path);
        const inner = known ?? new VolatileFolder();
        if (known === undefined) folder.add(name, inner);
        folder = inner;
      }
    });
  }

  syncFolder(path: string): Promise<void> {
    return this.run({ kind: 'syncFolder', path }, (root) => {
      folderAt(root, path).sync();
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.run({ kind: 'rename', path: from, target: to }, (root) => {
      const folder = folderAt(root, dirname(from));
      const target = folderAt(root, dirname(to));
      const entry = folder.entries.get(basename(from));
      if (entry === undefined) throw failure('ENOENT', from);
      if (folder === target) folder.rename(basename(from), basename(to));
      else {
        target.add(basename(to), entry);
        folder.remove(basename(from));
      }
    });
  }

  remove(path: string): Promise<void> {
    return this.run({ kind: 'remove', path }, (root) => {
      fileAt(root, path);
      folderAt(root, dirname(path)).remove(basename(path));
    });
  }

  removeFolder(path: string): Promise<void> {
    return this.run({ kind: 'removeFolder', path }, (root) => {
      empty(folderAt(root, path));
      folderAt(root, dirname(path)).remove(basename(path));
    });
  }

  /** Bytes that still fit. */
  get room(): number {
    return this.#disk.capacityBytes === Infinity ? Infinity : this.#disk.capacityBytes - this.#disk.usedBytes;
  }

  /** `act` may be told how many bytes to write. `onFailure`: the operation fails, and has done so much. */
  async run<Result>(
    operation: { kind: DiskOperation['kind']; path: string; target?: string; bytes?: number },
    act: (root: VolatileFolder, short: number) => Result,
    onFailure?: (random: () => number) => void,
  ): Promise<Result> {
    const { kind, path, target = path, bytes = 0 } = operation;
    const { root, fault } = await this.#disk.begin({ kind, path, target, bytes }, this.gone);
    if (fault === 'gone') {
      this.#disk.kill();
      if (this.#random() < 0.5) act(root, bytes);
      throw new ProcessGone();
    }
    if (typeof fault === 'string') {
      onFailure?.(this.#random);
      throw failure(fault, path);
    }
    return act(root, Math.min(bytes, fault?.short ?? Infinity));
  }
}

class OpenFile implements LogFile {
  readonly #file: VolatileFile;
  readonly #path: string;
  readonly #isWritable: boolean;
  readonly #mount: Mount;
  #isClosed = false;

  constructor(file: VolatileFile, path: string, isWritable: boolean, mount: Mount) {
    this.#file = file;
    this.#path = path;
    this.#isWritable = isWritable;
    this.#mount = mount;
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const bytes = buffers.reduce((sum, { length }) => sum + length, 0);
    const put = (count: number): number => {
      const overwritten = Math.max(0, this.#file.size - position);
      const fits = Math.min(count, Math.max(0, overwritten + this.#mount.room));
      if (fits === 0 && bytes > 0 && count > 0) throw failure('ENOSPC', this.#path);
      this.#file.write(Buffer.concat(buffers, bytes).subarray(0, fits), position);
      return fits;
    };
    return this.#run(
      'write',
      (short) => put(short),
      (random) => put(Math.floor(random() * bytes)),
      bytes,
    );
  }

  read(target: Uint8Array, at: number, length: number, position: number): Promise<number> {
    return this.#run('read', () => {
      const { bytes } = this.#file;
      const end = Math.min(bytes.length, position + length);
      if (at + length > target.length) throw new RangeError('reading beyond the end of the target');
      target.set(bytes.subarray(Math.min(position, end), end), at);
      return Math.max(0, end - position);
    });
  }

  sync(): Promise<void> {
    return this.#run(
      'sync',
      () => {
        this.#file.sync();
      },
      (random) => {
        this.#file.failSync(random);
      },
    );
  }

  truncate(length: number): Promise<void> {
    return this.#run('truncate', () => {
      this.#file.truncate(length);
    });
  }

  size(): Promise<number> {
    return this.#run('size', () => this.#file.size);
  }

  async close(): Promise<void> {
    await this.#run('close', () => undefined);
    this.#isClosed = true;
  }

  #run<Result>(
    kind: DiskOperation['kind'],
    act: (short: number) => Result,
    onFailure?: (random: () => number) => void,
    bytes = 0,
  ): Promise<Result> {
    if (this.#isClosed) return Promise.reject(failure('EBADF', this.#path));
    const isRefused = !this.#isWritable && (kind === 'write' || kind === 'truncate');
    if (isRefused) return Promise.reject(failure('EBADF', this.#path));
    return this.#mount.run({ kind, path: this.#path, bytes }, (_, short) => act(short), onFailure);
  }
}
