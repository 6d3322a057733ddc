import type { Logger, Position } from 'sluice/api';
import { fromPosition, STARTED, type SavedPosition } from './position.ts';
import { isOther, type FileStatus } from './storage.ts';
import { TailedFile } from './tailed-file.ts';

/** The files that are known, by device and inode, and what is saved of files that were not found. */
export class FileTable {
  readonly #files = new Map<string, TailedFile>();
  readonly #gone = new Map<string, SavedPosition>();
  readonly #archives = new Map<string, SavedPosition>();
  readonly #byPath = new Map<string, TailedFile>();

  constructor(positions: ReadonlyMap<string, Position>, log: Logger) {
    for (const [key, position] of positions) {
      if (key === STARTED) continue;
      const saved = fromPosition(position);
      if (saved === null) log.error({ key }, 'position of a file not understood, so it is read from its beginning');
      else if (saved.archive != null) this.#archives.set(key, saved);
      else this.#gone.set(key, saved);
    }
  }

  get files(): Iterable<TailedFile> {
    return this.#files.values();
  }

  get size(): number {
    return this.#files.size;
  }

  /** By their keys. */
  get gone(): ReadonlyMap<string, SavedPosition> {
    return this.#gone;
  }

  /** What is saved of compressed files: no business of this table. */
  get archives(): ReadonlyMap<string, SavedPosition> {
    return this.#archives;
  }

  has(key: string): boolean {
    return this.#files.has(key);
  }

  at(path: string): TailedFile | undefined {
    return this.#byPath.get(path);
  }

  /** The file that is there under this identity, or was at the last start. Undefined for one that is new. */
  find(path: string, { key, born }: FileStatus, now: number): TailedFile | undefined {
    const file = this.#files.get(key);
    if (file !== undefined) {
      if (!isOther(file.born, born)) return file;
      // Its inode is another's by now.
      this.drop(file);
      this.#gone.set(key, file.position(now));
    }
    const saved = this.#gone.get(key);
    if (saved === undefined || isOther(saved.born, born)) return undefined;
    this.#gone.delete(key);
    const isRenamed = saved.path !== path;
    return this.add(new TailedFile(key, { ...saved, isRotated: saved.isRotated || isRenamed, path }, now));
  }

  add(file: TailedFile): TailedFile {
    this.#files.set(file.key, file);
    this.#byPath.set(file.path, file);
    return file;
  }

  moved(file: TailedFile, path: string): void {
    if (this.#byPath.get(file.path) === file) this.#byPath.delete(file.path);
    file.path = path;
    file.isRotated = true;
    this.#byPath.set(path, file);
  }

  drop(file: TailedFile): void {
    this.#files.delete(file.key);
    if (this.#byPath.get(file.path) === file) this.#byPath.delete(file.path);
  }

  /** Not there any more, though what was read of it may be elsewhere. */
  lost(file: TailedFile, now: number): void {
    this.drop(file);
    this.#gone.set(file.key, file.position(now));
  }

  forgetGone(key: string): void {
    this.#gone.delete(key);
  }
}
