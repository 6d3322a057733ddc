import { relative } from 'node:path';
import { SluiceError, type Position, type SourceContext } from 'sluice/api';
import { ArchiveReader, type Archive } from '../archive/archive-reader.ts';
import { BlockReader } from '../block-reader.ts';
import { Complaints, isFileError } from '../complaints.ts';
import { Framing } from '../framing/framing.ts';
import { Glob } from '../glob.ts';
import type { FoundFile } from '../newcomers.ts';
import { fromPosition } from '../position.ts';
import { Scanner } from '../scanner.ts';
import { isOther, type FileStatus } from '../storage.ts';
import { TailedFile } from '../tailed-file.ts';
import { finishFile } from './finish.ts';
import { beginFile } from './begin.ts';
import type { DirectorySettings } from './settings.ts';

/** A file that was not found by so many searches is gone. */
const MISSES = 2;

/** One run over the folders. A file is known by device, inode, size and time of its last write: none of them may change once it was begun. */
export class DirectoryRun {
  readonly #settings: DirectorySettings;
  readonly #context: SourceContext;
  readonly #scanner: Scanner;
  readonly #complaints: Complaints;
  readonly #reader: ArchiveReader;
  readonly #ends: boolean;
  /** By device and inode: what was begun or read. */
  readonly #known = new Map<string, Archive>();
  readonly #misses = new Map<string, number>();
  readonly #unsettled = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;

  constructor(settings: DirectorySettings, context: SourceContext) {
    const { log, clock } = context;
    this.#settings = settings;
    this.#context = context;
    this.#ends = context.once || !settings.follows;
    this.#complaints = new Complaints(log);
    this.#scanner = new Scanner(
      new Glob(settings.include, settings.exclude, settings.storage),
      settings.storage,
      this.#complaints,
    );
    const onEmitted = (emitted: Promise<void>): void => {
      this.#emitted(emitted);
    };
    const framing = new Framing(settings.framing, { log, clock });
    const reader = new BlockReader(context, { framing, onEmitted });
    this.#reader = new ArchiveReader({ context, storage: settings.storage, reader, onEmitted, onSaved: null });
  }

  async run(): Promise<void> {
    const { signal, clock } = this.#context;
    this.#load(await this.#context.load());
    for (;;) {
      const found = (await this.#scanner.scan()).filter((one) => !this.#isPutAside(one.path));
      this.#forgetGone(found);
      const left = await this.#readAll(found);
      if (this.#ends && left === 0) break;
      this.#context.report(`${counted(found.length)}, waiting`);
      await clock.sleep(this.#settings.scanMs, signal);
    }
    this.#context.report('all files read');
  }

  #load(positions: ReadonlyMap<string, Position>): void {
    for (const [key, position] of positions) {
      const saved = fromPosition(position);
      if (saved?.archive == null) {
        this.#context.log.error({ key }, 'position of a file not understood, so it is read from its beginning');
      } else this.#known.set(key, new TailedFile(key, saved, this.#context.clock.monotonic()) as Archive);
    }
  }

  /** Returns how many files wait for something. */
  async #readAll(found: readonly FoundFile[]): Promise<number> {
    const { signal, clock } = this.#context;
    let left = 0;
    for (const one of [...found].sort(olderFirst)) {
      signal.throwIfAborted();
      const isResting = clock.now() - one.status.modifiedMs >= this.#settings.completeAfterMs;
      if (!isResting && !this.#known.has(one.status.key)) {
        left++;
        continue;
      }
      this.#context.report(`${counted(found.length)}, reading`);
      try {
        await this.#take(one);
        this.#complaints.settled(one.path);
      } catch (error) {
        if (!isFileError(error)) throw this.#failure?.error ?? error;
        this.#complaints.about(one.path, error, 'file not readable, or not put aside');
      }
    }
    return left;
  }

  /** Reads what is not read of it, waits until that is durable, and puts it aside. */
  async #take({ path, status }: FoundFile): Promise<void> {
    let file = this.#known.get(status.key);
    if (file !== undefined && isAnother(file, path, status)) file = undefined;
    if (file === undefined) {
      file = await beginFile({ path, status }, this.#settings, this.#context);
      this.#known.set(status.key, file);
    }
    file.path = path;
    if (!isRead(file)) {
      const end = await this.#reader.read(file, () => this.#failure === null);
      if (this.#failure !== null) throw this.#failure.error;
      if (end === 'changed') throw changed(path);
      file.isDone = true;
    }
    // The position says that it is read before the file is touched.
    await Promise.all(this.#unsettled);
    await this.#putAside(file);
  }

  async #putAside(file: Archive): Promise<void> {
    const { path, key, archive } = file;
    const now = await this.#settings.storage.stat(path);
    if (now.key !== key || !isSame(archive, now)) throw changed(path);
    // Whoever mends it needs it.
    if (archive.damage !== null || this.#settings.onDone === 'keep') return;
    await finishFile(path, this.#settings);
    this.#known.delete(key);
    await this.#context.forget(key);
  }

  #isPutAside(path: string): boolean {
    const { onDone, doneSuffix, moveTo } = this.#settings;
    if (onDone === 'rename') return path.endsWith(doneSuffix);
    return moveTo !== null && !relative(moveTo, path).startsWith('..');
  }

  #forgetGone(found: readonly FoundFile[]): void {
    const keys = new Set(found.map(({ status }) => status.key));
    for (const key of this.#known.keys()) {
      const misses = keys.has(key) ? 0 : (this.#misses.get(key) ?? 0) + 1;
      this.#misses.set(key, misses);
      if (misses < MISSES) continue;
      this.#misses.delete(key);
      this.#known.delete(key);
      this.#emitted(this.#context.forget(key));
    }
  }

  #emitted(emitted: Promise<void>): void {
    this.#unsettled.add(emitted);
    emitted.then(
      () => this.#unsettled.delete(emitted),
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
  }
}

function isRead({ archive, offset, isDone }: Archive): boolean {
  return isDone || (offset >= archive.limit && (archive.damage === null || archive.isTold));
}

/**
 * Its inode was another's before: one that was read, and has another name, or was made at another time. The same file with other bytes is none: that is for
 * its operator to see.
 */
function isAnother(file: Archive, path: string, status: FileStatus): boolean {
  if (isSame(file.archive, status) && !isOther(file.born, status.born)) return false;
  if (isOther(file.born, status.born) || (isRead(file) && file.path !== path)) return true;
  throw changed(path);
}

function isSame({ bytes, modified }: Archive['archive'], status: FileStatus): boolean {
  return bytes === status.size && modified === String(status.modified);
}

function changed(path: string): SluiceError {
  return new SluiceError(
    'SOURCE_FAILED',
    `reading "${path}": it was written after it was begun. Files have to be complete when they appear: write them elsewhere and move them here; put this one aside to go on`,
  );
}

function olderFirst({ status: one, path }: FoundFile, { status: other, path: otherPath }: FoundFile): number {
  if (one.modified !== other.modified) return one.modified < other.modified ? -1 : 1;
  return path < otherPath ? -1 : 1;
}

function counted(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}
