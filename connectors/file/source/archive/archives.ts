import type { Position, SourceContext } from 'sluice/api';
import type { BlockReader } from '../block-reader.ts';
import { isFileError, type Complaints } from '../complaints.ts';
import type { FileTable } from '../file-table.ts';
import { createRecordEnds } from '../framing/record-ends.ts';
import type { FoundFile } from '../newcomers.ts';
import { Originals } from '../originals.ts';
import { toPosition, type ArchiveFormat, type ArchiveMark, type SavedPosition } from '../position.ts';
import type { FileSourceSettings } from '../settings.ts';
import { restOf } from '../signature.ts';
import { isOther, type FileStatus, type InputFile } from '../storage.ts';
import { TailedFile } from '../tailed-file.ts';
import { ArchiveReader, type Archive } from './archive-reader.ts';
import { Candidate } from './candidate.ts';
import { archiveHead, inspectArchive, type ArchiveContent } from './inspect.ts';
import { compareWith, priorReads, readOf, type PriorRead } from './prior-reads.ts';

/** A file that cannot be read to its end is given up when the source has to end. */
const MAX_FAILURES = 3;

interface ArchivesOptions {
  readonly settings: FileSourceSettings;
  readonly context: SourceContext;
  readonly table: FileTable;
  readonly complaints: Complaints;
  /** With a fixed end there is no waiting for what will become of a file. */
  readonly ends: boolean;
  readonly createReader: () => BlockReader;
  readonly onEmitted: (emitted: Promise<void>) => void;
  /** Nothing can go on. */
  readonly onFailure: (error: unknown) => void;
  /** No other file is being read. */
  readonly rests: () => boolean;
  /** There is something to settle. */
  readonly wake: () => void;
  /** No file that was read before shall be used any more. */
  readonly drop: (file: TailedFile) => Promise<void>;
}

/**
 * The compressed files among those that the patterns name. Each is looked through once it rests; what it holds of content that was read already is known by
 * its signature, the rest is read. One at a time, whatever the number, beside the files that are followed.
 */
export class Archives {
  readonly #options: ArchivesOptions;
  readonly #reader: ArchiveReader;
  readonly #candidates = new Map<string, Candidate>();
  readonly #known = new Map<string, Archive>();
  /** In this run there is nothing to be done about them. */
  readonly #left = new Set<string>();
  readonly #toRead: Archive[] = [];
  /** By their keys: the checkpoint that is of no use any more once its own is saved. */
  readonly #supersedes = new Map<string, string>();
  #work: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: ArchivesOptions, saved: ReadonlyMap<string, SavedPosition>) {
    this.#options = options;
    const { context, settings, onEmitted, createReader } = options;
    this.#reader = new ArchiveReader({
      ...{ context, storage: settings.storage, reader: createReader(), onEmitted },
      onSaved: (file) => {
        this.#saved(file);
      },
    });
    const now = context.clock.monotonic();
    for (const [key, position] of saved) {
      const file = this.#add(key, position, now);
      file.missingSince = now;
    }
  }

  get size(): number {
    return this.#known.size + this.#candidates.size;
  }

  /** A file that is there, by device and inode. */
  has(key: string): boolean {
    return this.#candidates.has(key) || this.#known.get(key)?.missingSince === null;
  }

  /** Nothing waits and nothing is read. */
  get isIdle(): boolean {
    return this.#work === null && this.#candidates.size === 0 && this.#toRead.length === 0;
  }

  get isBusy(): boolean {
    return this.#work !== null || this.areUndecided;
  }

  /** What is saved of other files may tell what of a compressed one was read: it must not be forgotten yet. */
  get areUndecided(): boolean {
    for (const candidate of this.#candidates.values()) if (!candidate.waitsForOriginal) return true;
    return false;
  }

  /** True when it is one of these, and so no other's business. Called for each file of a scan. */
  sees(found: FoundFile, now: number): boolean {
    const { key, born } = found.status;
    const candidate = this.#candidates.get(key);
    if (candidate !== undefined) {
      if (isOther(candidate.status.born, born)) this.#candidates.delete(key);
      else candidate.note(found, now);
      return this.#candidates.has(key);
    }
    const file = this.#known.get(key);
    if (file === undefined || isOther(file.born, born)) {
      this.#known.delete(key);
      return this.#left.has(identityOf(found.status));
    }
    file.path = found.path;
    file.missingSince = null;
    if (file.isBusy) return true;
    if (!isUnchanged(file.archive, found.status)) {
      this.#known.delete(key);
      this.add(found, formatOf(file.archive), { own: { ...file.position(now) }, now });
    } else if (!isDone(file) && file.failures < MAX_FAILURES) this.#queue(file);
    return true;
  }

  add(
    found: FoundFile,
    format: ArchiveFormat,
    more: { readonly own: SavedPosition | null; readonly now: number },
  ): void {
    this.#candidates.set(found.status.key, new Candidate(found, format, more));
  }

  /** The source begins behind what is there: it counts as read. */
  skip({ path, status }: FoundFile, format: ArchiveFormat): readonly [string, Position] {
    const nothing = { head: Buffer.alloc(0), length: 0, recordEnd: 0, endCheck: '', checks: new Map(), damage: null };
    const saved = positionIn({ path, status, format }, nothing, 0, '');
    return [status.key, toPosition(this.#add(status.key, saved, this.#now))];
  }

  /** After each scan: forgets those that are gone for long, and candidates that are gone. */
  retain(keys: ReadonlySet<string>, now: number): void {
    for (const [key, { isAtWork }] of this.#candidates) if (!keys.has(key) && !isAtWork) this.#candidates.delete(key);
    if (this.#options.ends) return;
    for (const [key, file] of this.#known) {
      if (keys.has(key) || file.isBusy) continue;
      file.missingSince ??= now;
      if (now - file.missingSince < this.#options.settings.forgetAfterMs) continue;
      this.#known.delete(key);
      this.#options.onEmitted(this.#options.context.forget(key));
    }
  }

  /** Decides what can be decided, and has the next one looked into or read. `scans`: how many there were. */
  async settle(scans: number): Promise<void> {
    const due = [...this.#candidates.values()].filter((candidate) => this.#isDue(candidate)).sort(olderFirst);
    const { table, settings } = this.#options;
    // What cannot be told now can at the next scan.
    if (due.length > 0 && ((await Originals.refresh(table.files, settings.storage, this.#now)) || this.#mustDecide)) {
      for (const candidate of due) await this.#decide(candidate, scans);
    }
    this.#pump();
  }

  #isDue(candidate: Candidate): boolean {
    const { content, isAtWork } = candidate;
    return content !== null && !isAtWork && !candidate.waitsForOriginal && this.#isComplete(candidate);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#work;
  }

  /** The source has to end, and nothing will be surer. */
  get #mustDecide(): boolean {
    return this.#options.ends && this.#options.rests();
  }

  get #now(): number {
    return this.#options.context.clock.monotonic();
  }

  #add(key: string, saved: SavedPosition & { archive?: ArchiveMark | null }, now: number): Archive {
    const file = new TailedFile(key, saved, now) as Archive;
    this.#known.set(key, file);
    return file;
  }

  #queue(file: Archive): void {
    if (file.isQueued) return;
    file.isQueued = true;
    this.#toRead.push(file);
  }

  /** One that ends too early may still be written. */
  #isComplete(candidate: Candidate): boolean {
    const { ends, settings, context } = this.#options;
    if (candidate.content!.damage?.kind !== 'truncated') return true;
    const { archiveWaitMs } = settings;
    if (!ends) return candidate.unchangedMs(this.#now) >= archiveWaitMs;
    if (context.clock.now() - candidate.status.modifiedMs >= archiveWaitMs) return true;
    this.#leave(candidate, 'compressed file not complete, left for the next run');
    return false;
  }

  #leave(candidate: Candidate, message: string): void {
    this.#candidates.delete(candidate.status.key);
    this.#left.add(identityOf(candidate.status));
    this.#options.context.log.info({ path: candidate.path }, message);
  }

  async #decide(candidate: Candidate, scans: number): Promise<void> {
    const content = candidate.content!;
    const { ends } = this.#options;
    let begin: { readonly offset: number; readonly prior: PriorRead | null } = { offset: 0, prior: null };
    for (const prior of this.#priorsOf(candidate, content.head)) {
      const standing = prior.file === null ? 'away' : await this.#standingOf(prior.file, content, scans);
      if (standing === 'original') {
        if (ends) this.#leave(candidate, 'compressed copy of a file that is there left out');
        else candidate.waitFor(prior.file!);
        return;
      }
      // What was not found by one scan may only have changed its name during it.
      if (standing === 'in motion' || (prior.key !== null && scans < 2 && !ends)) return;
      if (standing === 'other') continue;
      const read = readOf(content, candidate.path, prior);
      if (read === 'unknown') {
        candidate.content = null;
        candidate.isSpent = false;
        return;
      }
      if (read !== null && read >= begin.offset) begin = { offset: read, prior };
    }
    await this.#admit(candidate, begin);
  }

  async #admit(
    candidate: Candidate,
    { offset, prior }: { readonly offset: number; readonly prior: PriorRead | null },
  ): Promise<void> {
    const { table, context, drop } = this.#options;
    const content = candidate.content!;
    const { path } = candidate;
    const { key } = candidate.status;
    this.#candidates.delete(key);
    const gone = table.gone.get(key);
    table.forgetGone(key);
    const check = offset === content.length ? content.endCheck : (content.checks.get(offset) ?? '');
    const rest = prior?.signature.offset === offset ? restOf(prior.signature) : {};
    const file = this.#add(key, { ...positionIn(candidate, content, offset, check), ...rest }, this.#now);
    file.isUnsaved = true;
    if (gone !== undefined && prior?.key !== key) file.descendFrom(gone, this.#now);
    if (prior !== null)
      context.log.info({ path, original: prior.path, offset }, 'compressed copy of a file that was read');
    // One that is open is read on: whoever wrote it may still do.
    if (prior?.key != null && prior.key !== key && (prior.file?.handle ?? null) === null) {
      if (prior.file !== null) await drop(prior.file);
      this.#supersedes.set(key, prior.key);
    }
    this.#queue(file);
  }

  /** What says how far the original was read is of use until it is saved that its content is this file's. */
  #saved({ key }: Archive): void {
    const { table, context, onEmitted } = this.#options;
    const prior = this.#supersedes.get(key);
    if (prior === undefined) return;
    this.#supersedes.delete(key);
    table.forgetGone(prior);
    // Its inode may be another's by now.
    if (table.has(prior) || this.has(prior)) return;
    this.#known.delete(prior);
    onEmitted(context.forget(prior));
  }

  #priorsOf(candidate: Candidate, head: Buffer): PriorRead[] {
    const { path, own } = candidate;
    const priors = priorReads(head, { table: this.#options.table, archives: this.#known.values() });
    if (own === null) return priors;
    return [...priors, { path, signature: own, file: null, isFormer: true, key: null }];
  }

  /**
   * `original`: it is there, and holds what the archive holds. `in motion`: that cannot be told, or it is not read to its end yet. `away`: nothing of it
   * will be read any more.
   */
  async #standingOf(
    file: TailedFile,
    content: ArchiveContent,
    scans: number,
  ): Promise<'original' | 'other' | 'in motion' | 'away'> {
    const { storage } = this.#options.settings;
    if (file.missingSince === null) {
      const compared = await compareWith(file, content, storage);
      if (compared === 'original' || compared === 'other') return compared;
      return this.#mustDecide ? 'away' : 'in motion';
    }
    if (file.isBusy || file.isQueued || scans - file.scan < 2) return 'in motion';
    if (file.handle === null) return 'away';
    const status = await file.handle.status().catch(() => null);
    return status === null || status.size > file.offset ? 'in motion' : 'away';
  }

  #pump(): void {
    if (this.#work !== null || this.#isClosed || this.#next() === null) return;
    this.#work = this.#run().then(() => {
      this.#work = null;
      this.#options.wake();
    });
  }

  #next(): Archive | Candidate | null {
    const file = this.#toRead[0];
    if (file !== undefined) return file;
    const { settings, ends } = this.#options;
    const now = this.#now;
    const ready = [...this.#candidates.values()].filter(
      (candidate) =>
        candidate.content === null && !candidate.isSpent && (ends || candidate.isQuiet(now, settings.archiveSettleMs)),
    );
    return ready.sort(olderFirst)[0] ?? null;
  }

  async #run(): Promise<void> {
    for (let next = this.#next(); next !== null && !this.#isClosed; next = this.#next()) {
      const { path } = next;
      try {
        if (next instanceof Candidate) await this.#inspect(next);
        else await this.#read(next);
        this.#options.complaints.settled(path);
      } catch (error) {
        if (!isFileError(error)) {
          this.#options.onFailure(error);
          return;
        }
        this.#failed(next, error);
      }
      this.#options.wake();
    }
  }

  #failed(next: Archive | Candidate, error: unknown): void {
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isGone) this.#options.complaints.about(next.path, error, 'file not readable');
    // The next scan tries it again.
    if (!this.#options.ends) return;
    if (next instanceof Candidate) this.#leave(next, 'compressed file given up');
    else if (++next.failures === MAX_FAILURES) {
      this.#options.context.log.error({ path: next.path, offset: next.offset }, 'file given up before its end');
    }
  }

  async #inspect(candidate: Candidate): Promise<void> {
    const { settings, context } = this.#options;
    candidate.isAtWork = true;
    candidate.isSpent = true;
    const { status, format } = candidate;
    let file: InputFile | null = null;
    try {
      file = await settings.storage.open(candidate.path);
      if ((await file.status()).key !== status.key) return;
      const head = await archiveHead(file, format);
      const priors = this.#priorsOf(candidate, head);
      const offsets = [...new Set(priors.map(({ signature }) => signature.offset))].sort((one, other) => one - other);
      const content = await inspectArchive(file, format, {
        ...{ offsets, signal: context.signal },
        createEnds: () => createRecordEnds(settings.framing),
      });
      candidate.looked(content, status);
    } finally {
      candidate.isAtWork = false;
      await file?.close();
    }
  }

  async #read(file: Archive): Promise<void> {
    this.#toRead.shift();
    file.isQueued = false;
    file.isBusy = true;
    try {
      const end = await this.#reader.read(file, () => !this.#isClosed);
      // A scan looks at it again.
      if (end === 'changed') file.archive = { ...file.archive, bytes: -1 };
    } finally {
      file.isBusy = false;
    }
  }
}

function positionIn(
  { path, status, format }: { readonly path: string; readonly status: FileStatus; readonly format: ArchiveFormat },
  { head, length, recordEnd, damage }: ArchiveContent,
  offset: number,
  check: string,
): SavedPosition & { archive: ArchiveMark } {
  const limit = Math.max(offset, damage === null ? length : recordEnd);
  const { size: bytes, modified, born } = status;
  const archive = { format, bytes, modified: String(modified), length, limit, damage, isTold: false };
  return { path, offset, head, check, born, isSkipping: false, skipTo: null, isRotated: true, former: [], archive };
}

/** None of these is a file that is read as it is. */
function formatOf({ format }: ArchiveMark): ArchiveFormat {
  return format === 'none' ? 'gzip' : format;
}

function isUnchanged({ bytes, modified }: ArchiveMark, status: FileStatus): boolean {
  return bytes === status.size && modified === String(status.modified);
}

function isDone({ offset, archive, isUnsaved }: Archive): boolean {
  return offset >= archive.limit && !isUnsaved && (archive.damage === null || archive.isTold);
}

function identityOf({ key, born }: FileStatus): string {
  return `${key} ${born ?? ''}`;
}

function olderFirst(one: Candidate, other: Candidate): number {
  return one.status.modifiedMs - other.status.modifiedMs || (one.path < other.path ? -1 : 1);
}
