import { describeError, type Position, type SourceContext } from 'sluice/api';
import { Archives } from './archive/archives.ts';
import { BlockReader } from './block-reader.ts';
import { Complaints, isFileError } from './complaints.ts';
import { FileTable } from './file-table.ts';
import { Framing } from './framing/framing.ts';
import { Glob } from './glob.ts';
import { Newcomers, type FoundFile } from './newcomers.ts';
import { OpenFiles } from './open-files.ts';
import { Originals } from './originals.ts';
import { STARTED, toPosition, type ArchiveFormat } from './position.ts';
import { ReadQueue } from './read-queue.ts';
import { Scanner } from './scanner.ts';
import type { FileSourceSettings } from './settings.ts';
import { TailedFile, type FileWaits } from './tailed-file.ts';
import { compressionOf, HEAD_BYTES, mayBecomeCompressed } from './signature.ts';
import { readAt } from './content.ts';
import { Waker } from './waker.ts';

/** Before the next file gets its turn. */
const BLOCKS_PER_TURN = 4;
/** Events that come at once are one reason to look. */
const MIN_PAUSE_MS = 10;
/** Searches of large trees take no more than a fifth of the time. */
const SCAN_SHARE = 4;
/** A file that cannot be read to its end is given up when the source has to end. */
const MAX_FAILURES = 3;
const STATUS_AT_ONCE = 32;

/** One run over the files: looks for them, looks at them, and has read what is new. */
export class Tailer {
  readonly #settings: FileSourceSettings;
  readonly #context: SourceContext;
  readonly #ends: boolean;
  readonly #glob: Glob;
  readonly #complaints: Complaints;
  readonly #scanner: Scanner;
  readonly #newcomers: Newcomers;
  readonly #open: OpenFiles;
  readonly #queue: ReadQueue;
  readonly #waker: Waker;
  readonly #waits: FileWaits;
  #table: FileTable;
  #archives: Archives;
  /** Compressed files that were there when the source started at the end. */
  readonly #skipped: (readonly [string, Position])[] = [];
  #isFirstStart = false;
  #scans = 0;
  #nextScanAt = 0;
  /** Not before, whatever is hinted at. */
  #scanRestsUntil = 0;
  #goneSince: number | null = null;
  readonly #createReader: () => BlockReader;
  readonly #hinted = new Set<string>();
  readonly #unsettled = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;

  constructor(settings: FileSourceSettings, context: SourceContext) {
    const { storage } = settings;
    const { clock, signal, log } = context;
    this.#settings = settings;
    this.#context = context;
    this.#ends = context.once || !settings.follows;
    this.#glob = new Glob(settings.include, settings.exclude, storage);
    this.#complaints = new Complaints(log);
    this.#scanner = new Scanner(this.#glob, storage, this.#complaints);
    const onArchive = (found: FoundFile, format: ArchiveFormat): void => {
      if (this.#startsAtEnd) this.#skipped.push(this.#archives.skip(found, format));
      else this.#archives.add(found, format, { own: null, now: clock.monotonic() });
    };
    this.#newcomers = new Newcomers({ settings, clock, log, ends: this.#ends, onArchive });
    this.#open = new OpenFiles(storage, settings.maxOpenFiles);
    this.#waker = new Waker(clock, signal);
    this.#table = new FileTable(new Map(), log);
    const onEmitted = (emitted: Promise<void>, file: TailedFile): void => {
      this.#emitted(emitted);
      this.#forgetSuperseded(emitted, file);
    };
    const framing = new Framing(settings.framing, { log, clock });
    this.#waits = framing.waits;
    this.#createReader = () => new BlockReader(context, { framing, onEmitted });
    this.#archives = this.#createArchives();
    this.#queue = new ReadQueue({
      createReader: this.#createReader,
      turn: (file, reader) => this.#turn(file, reader),
      onFailure: (error) => {
        this.#failed(error);
      },
    });
  }

  /** Returns when there is nothing more to wait for, and everything emitted is durable. */
  async run(): Promise<void> {
    const watch = this.#watch();
    try {
      const positions = await this.#context.load();
      this.#isFirstStart = positions.size === 0;
      this.#table = new FileTable(positions, this.#context.log);
      this.#archives = this.#createArchives();
      while (!(await this.#look())) {
        await this.#waker.sleep(this.#pause());
        // Events come in bursts.
        await this.#context.clock.sleep(MIN_PAUSE_MS, this.#context.signal);
      }
      while (this.#unsettled.size > 0) await Promise.all(this.#unsettled);
    } catch (error) {
      throw this.#failure?.error ?? error;
    } finally {
      await Promise.all([this.#queue.close(), this.#archives.close()]);
      await this.#open.closeAll();
      await watch?.close();
    }
  }

  #createArchives(): Archives {
    return new Archives(
      {
        ...{ settings: this.#settings, context: this.#context, complaints: this.#complaints, ends: this.#ends },
        table: this.#table,
        createReader: this.#createReader,
        onEmitted: (emitted) => {
          this.#emitted(emitted);
        },
        onFailure: (error) => {
          this.#failed(error);
        },
        rests: () => this.#queue.isEmpty,
        wake: () => {
          this.#waker.wake();
        },
        drop: (file) => this.#drop(file),
      },
      this.#table.archives,
    );
  }

  #failed(error: unknown): void {
    this.#failure ??= { error };
    this.#waker.wake();
  }

  /** True when the source is at its end. */
  async #look(): Promise<boolean> {
    const { clock } = this.#context;
    const startedAt = clock.monotonic();
    if (startedAt >= this.#nextScanAt) {
      // A hint that comes during the scan asks for another one.
      this.#nextScanAt = Infinity;
      const searchMs = await this.#scan();
      const now = clock.monotonic();
      const { scanMs } = this.#settings;
      const restMs = SCAN_SHARE * searchMs;
      this.#scanRestsUntil = now + Math.min(scanMs, restMs);
      this.#nextScanAt = Math.max(Math.min(this.#nextScanAt, now + Math.max(scanMs, restMs)), this.#scanRestsUntil);
    }
    if (!this.#ends) await this.#poll();
    await this.#archives.settle(this.#scans);
    if (this.#failure !== null) throw this.#failure.error;
    this.#report();
    return this.#ends && this.#isAtEnd();
  }

  #pause(): number {
    const now = this.#context.clock.monotonic();
    let next = this.#nextScanAt;
    if (!this.#ends) for (const { nextPollAt } of this.#open.files) next = Math.min(next, nextPollAt);
    return Math.max(0, next - now);
  }

  #scanSoon(): void {
    const soon = Math.max(this.#context.clock.monotonic(), this.#scanRestsUntil);
    this.#nextScanAt = Math.min(this.#nextScanAt, soon);
    this.#waker.wake();
  }

  /** Returns how long the search took, without what is done once about the files that it found. */
  async #scan(): Promise<number> {
    const { clock } = this.#context;
    const number = ++this.#scans;
    const isFirst = number === 1;
    const startedAt = clock.monotonic();
    const found = await this.#scanner.scan();
    const now = clock.monotonic();
    const ready: TailedFile[] = [];
    const unknown: FoundFile[] = [];
    for (const { path, status } of found) {
      if (this.#archives.sees({ path, status }, now)) continue;
      const file = this.#table.find(path, status, now);
      if (file === undefined) unknown.push({ path, status });
      else {
        file.scan = number;
        file.missingSince = null;
        if (file.path !== path) this.#table.moved(file, path);
        if (isFirst && this.#ends) file.limit = status.size;
        if (file.note(status, now)) ready.push(file);
        else if (file.handle === null) this.#finishIfLeft(file, now);
      }
    }
    await this.#lookForMissing(number, now);
    this.#archives.retain(new Set(found.map(({ status }) => status.key)), now);
    // With a fixed end whatever appears later is not read.
    if (isFirst || !this.#ends) ready.push(...(await this.#admit(unknown, now)));
    // Not sooner: where to begin in a copy is seen best while its original rests.
    for (const file of ready) this.#queue.add(file);
    return now - startedAt;
  }

  get #startsAtEnd(): boolean {
    return this.#settings.start === 'end' && this.#isFirstStart && this.#scans === 1;
  }

  async #admit(unknown: readonly FoundFile[], now: number): Promise<TailedFile[]> {
    const { storage } = this.#settings;
    const startsAtEnd = this.#startsAtEnd;
    this.#newcomers.retain(new Set(unknown.map(({ status }) => status.key)));
    if (unknown.every(({ status }) => status.size === 0) && !startsAtEnd) return [];
    // What cannot be told now can at the next scan.
    if (!(await Originals.refresh(this.#table.files, storage, now)) && !this.#ends) {
      this.#scanSoon();
      return [];
    }
    const admitted: TailedFile[] = [];
    // The scan may have found thousands: what they could be copies of is gathered once, and only if there are any.
    let originals: Originals | null = null;
    for (const { path, status } of [...unknown].sort(originalsFirst)) {
      if (status.size === 0) continue;
      if (!startsAtEnd) originals ??= this.#originals();
      try {
        const beginning = await this.#newcomers.decide({ path, status }, originals);
        this.#complaints.settled(path);
        if (beginning === null) continue;
        const file = new TailedFile(status.key, beginning.saved, now);
        file.supersedes = beginning.supersedes;
        file.isUnsaved = beginning.saved.offset > 0;
        if (file.supersedes !== null) this.#table.forgetGone(file.supersedes);
        const gone = this.#table.gone.get(file.key);
        if (gone !== undefined) file.descendFrom(gone, now);
        if (this.#ends) file.limit = status.size;
        file.scan = this.#scans;
        file.note(status, now);
        this.#table.add(file);
        originals?.addFile(file);
        admitted.push(file);
      } catch (error) {
        this.#complainOf(path, error);
      }
    }
    if (startsAtEnd) await this.#saveStart(admitted);
    return admitted.sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  #originals(): Originals {
    const { clock } = this.#context;
    return new Originals(this.#table, { storage: this.#settings.storage, clock, isFirstScan: this.#scans === 1 });
  }

  /** Where it started at the end, all at once: files that a later start does not know are new then. */
  async #saveStart(files: readonly TailedFile[]): Promise<void> {
    const now = this.#context.clock.monotonic();
    const positions: (readonly [string, Position])[] = files.map((file) => [file.key, toPosition(file.position(now))]);
    positions.push(...this.#skipped, [STARTED, { start: 'end' }]);
    this.#emitted(this.#context.emit(await this.#context.batch(), { positions }));
    for (const file of files) file.isUnsaved = false;
  }

  async #lookForMissing(scan: number, now: number): Promise<void> {
    const { forgetAfterMs, closeInactiveMs } = this.#settings;
    for (const file of [...this.#table.files]) {
      if (file.scan === scan || file.isBusy || file.isQueued) continue;
      if (this.#ends) {
        // Its name may have changed while the folder was listed.
        if (++file.failures > MAX_FAILURES) file.isDone = true;
        continue;
      }
      file.missingSince ??= now;
      if (now - Math.max(file.missingSince, file.lastChange) < (file.links === 0 ? closeInactiveMs : forgetAfterMs))
        continue;
      if (this.#archives.areUndecided) continue;
      await this.#drop(file);
      this.#emitted(this.#context.forget(file.key));
    }
    if (!this.#ends) this.#forgetGone(now);
  }

  async #drop(file: TailedFile): Promise<void> {
    await this.#open.close(file);
    this.#table.drop(file);
  }

  #forgetGone(now: number): void {
    this.#goneSince ??= now;
    if (now - this.#goneSince < this.#settings.forgetAfterMs || this.#archives.areUndecided) return;
    for (const key of [...this.#table.gone.keys()]) {
      this.#table.forgetGone(key);
      if (!this.#table.has(key)) this.#emitted(this.#context.forget(key));
    }
  }

  /** Not before it is saved: until then it is what says how far the file was read. Never when the inode is another file's by now, and with it the checkpoint. */
  #forgetSuperseded(emitted: Promise<void>, file: TailedFile): void {
    const { supersedes } = file;
    if (supersedes === null) return;
    file.supersedes = null;
    const isUsed = (): boolean => this.#table.has(supersedes) || this.#archives.has(supersedes);
    this.#emitted(emitted.then(() => (isUsed() ? undefined : this.#context.forget(supersedes))));
  }

  /** A rejection ends the run, so only what waits and what was refused is kept: for `run` to see. */
  #emitted(emitted: Promise<void>): void {
    this.#unsettled.add(emitted);
    emitted.then(
      () => this.#unsettled.delete(emitted),
      () => undefined,
    );
  }

  async #poll(): Promise<void> {
    const hinted = new Set([...this.#hinted].map((path) => this.#table.at(path)));
    this.#hinted.clear();
    const now = this.#context.clock.monotonic();
    const due = [...this.#open.files].filter((file) => file.nextPollAt <= now || hinted.has(file));
    for (let first = 0; first < due.length; first += STATUS_AT_ONCE) {
      await Promise.all(due.slice(first, first + STATUS_AT_ONCE).map((file) => this.#pollOne(file, now)));
    }
  }

  async #pollOne(file: TailedFile, now: number): Promise<void> {
    const { closeInactiveMs, pollMs } = this.#settings;
    file.polled(now, pollMs, this.#waits);
    if (file.isBusy || file.isQueued || file.handle === null) return;
    try {
      if (file.note(await file.handle.status(), now)) {
        this.#queue.add(file);
        return;
      }
    } catch (error) {
      this.#complainOf(file.path, error);
      await this.#open.close(file);
      return;
    }
    if (this.#finishIfLeft(file, now)) return;
    if (now - file.lastChange >= closeInactiveMs && file.missingSince === null) await this.#open.close(file);
  }

  /** What a writer left at the end of a file is read when it counts as finished. */
  #finishIfLeft(file: TailedFile, now: number): boolean {
    if (this.#ends) return false;
    const { rotateWaitMs } = this.#settings;
    if (!file.rests({ now, wallNow: this.#context.clock.now() }, { ...this.#waits, rotateWaitMs })) return false;
    this.#queue.add(file);
    return true;
  }

  async #turn(file: TailedFile, reader: BlockReader): Promise<void> {
    const { signal, clock } = this.#context;
    try {
      if (!(await this.#open.use(file))) {
        file.forgetLook();
        this.#scanSoon();
        return;
      }
      this.#complaints.settled(file.path);
      for (let block = 0; block < BLOCKS_PER_TURN;) {
        signal.throwIfAborted();
        if (file.offset === 0 && (await this.#isArchive(file))) return;
        const end = await reader.read(file, file.handle!);
        if (end === 'end') {
          if (this.#ends) this.#finish(file);
          return;
        }
        if (end === 'more') block++;
        else {
          file.wasReplaced(clock.monotonic());
          // The copy of what was there may be among the files by now.
          this.#scanSoon();
        }
      }
      this.#queue.add(file);
    } catch (error) {
      if (!isFileError(error)) throw error;
      await this.#turnFailed(file, error);
    }
  }

  /** True, too, while it may become one. It can by others' doing, or because its inode is that of another file by now. */
  async #isArchive(file: TailedFile): Promise<boolean> {
    const handle = file.handle!;
    const [head, status] = await Promise.all([readAt(handle, 0, HEAD_BYTES), handle.status()]);
    const format = compressionOf(head);
    if (format !== 'gzip' && format !== 'zstd') return !this.#ends && !file.isFinal && mayBecomeCompressed(head);
    const now = this.#context.clock.monotonic();
    await this.#open.close(file);
    this.#table.lost(file, now);
    this.#archives.add({ path: file.path, status }, format, { own: null, now });
    this.#scanSoon();
    return true;
  }

  async #turnFailed(file: TailedFile, error: unknown): Promise<void> {
    this.#complainOf(file.path, error);
    await this.#open.close(file);
    // The next scan sees it as changed, so it is tried again.
    file.forgetLook();
    if (this.#ends && ++file.failures >= MAX_FAILURES) {
      this.#context.log.error({ path: file.path, offset: file.offset }, 'file given up before its end');
      this.#finish(file);
    }
  }

  #finish(file: TailedFile): void {
    file.isDone = true;
    this.#waker.wake();
  }

  #complainOf(path: string, error: unknown): void {
    if (!isFileError(error)) throw error;
    // It has another name by now: the next scan finds it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#complaints.about(path, error, 'file not readable');
  }

  #isAtEnd(): boolean {
    if (!this.#queue.isEmpty) return false;
    for (const file of this.#table.files) if (!file.isDone) return false;
    return this.#archives.isIdle;
  }

  #report(): void {
    const size = this.#table.size + this.#archives.size;
    let unread = 0;
    for (const file of this.#table.files) unread += file.isDone ? 0 : file.unread;
    const files = size === 1 ? '1 file' : `${size} files`;
    const doing = unread > 0 || this.#archives.isBusy ? 'reading' : this.#ends ? 'read' : 'following';
    const unreadable = this.#complaints.count === 0 ? '' : `, ${this.#complaints.count} unreadable`;
    this.#context.report(`${files}, ${doing}${unreadable}`);
  }

  #watch(): { close(): Promise<void> } | null {
    const { watchFolders } = this.#settings;
    if (watchFolders === null || this.#ends) return null;
    const { folders, depth } = this.#glob.folders;
    return watchFolders(folders, {
      depth,
      onHint: (path, isName) => {
        const handle = this.#table.at(path)?.handle ?? null;
        if (handle !== null && !isName) {
          this.#hinted.add(path);
          this.#waker.wake();
        } else if (isName || this.#glob.matches(path)) this.#scanSoon();
      },
      onError: (error) => {
        const cause = describeError(error);
        this.#context.log.warn({ folders, cause }, 'watching folders does not work, looking by interval only');
      },
    });
  }
}

/** What a copy was made of holds at least as much as the copy, and is older. */
function originalsFirst({ status: one }: FoundFile, { status: other }: FoundFile): number {
  if (one.size !== other.size) return other.size - one.size;
  return one.born !== null && other.born !== null ? Number(BigInt(one.born) - BigInt(other.born)) : 0;
}
