import type { Position, SourceContext } from 'sluice/api';
import type { BlockReader } from '../block-reader.ts';
import type { Complaints } from '../complaints.ts';
import type { FileTable } from '../file-table.ts';
import type { FoundFile } from '../newcomers.ts';
import { Originals } from '../originals.ts';
import { toPosition, type ArchiveFormat, type ArchiveMark, type SavedPosition } from '../position.ts';
import type { FileSourceSettings } from '../settings.ts';
import { restOf } from '../signature.ts';
import { isOther } from '../storage.ts';
import { TailedFile } from '../tailed-file.ts';
import { formatOf, identityOf, isDone, isUnchanged, positionIn } from './archive-mark.ts';
import { ArchiveReader, type Archive } from './archive-reader.ts';
import { ArchiveWork, MAX_FAILURES, olderFirst } from './archive-work.ts';
import { Candidate } from './candidate.ts';
import type { PriorRead } from './prior-reads.ts';
import { Standings } from './standings.ts';

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
  readonly #standings: Standings;
  readonly #work: ArchiveWork;
  readonly #candidates = new Map<string, Candidate>();
  readonly #known = new Map<string, Archive>();
  /** In this run there is nothing to be done about them. */
  readonly #left = new Set<string>();
  /** By their keys: the checkpoint that is of no use any more once its own is saved. */
  readonly #supersedes = new Map<string, string>();

  constructor(options: ArchivesOptions, saved: ReadonlyMap<string, SavedPosition>) {
    this.#options = options;
    const { context, settings, table, ends } = options;
    this.#standings = new Standings({
      ...{ storage: settings.storage, table, ends },
      archives: () => this.#known.values(),
      mustDecide: () => this.#mustDecide,
    });
    this.#work = this.#createWork();
    const now = context.clock.monotonic();
    for (const [key, position] of saved) {
      const file = this.#add(key, position, now);
      file.missingSince = now;
    }
  }

  #createWork(): ArchiveWork {
    const { context, settings, complaints, ends, onEmitted, onFailure, createReader, wake } = this.#options;
    const reader = new ArchiveReader({
      ...{ context, storage: settings.storage, reader: createReader(), onEmitted },
      onSaved: (file) => {
        this.#saved(file);
      },
    });
    return new ArchiveWork({
      ...{ settings, context, complaints, ends, reader, onFailure, wake, candidates: this.#candidates },
      priorsOf: (candidate, head) => this.#standings.priorsOf(candidate, head),
      onGivenUp: (candidate) => {
        this.#leave(candidate, 'compressed file given up');
      },
    });
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
    return this.#work.isIdle && this.#candidates.size === 0;
  }

  get isBusy(): boolean {
    return this.#work.isUnderWay || this.areUndecided;
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
    } else if (!isDone(file) && file.failures < MAX_FAILURES) this.#work.queue(file);
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
    this.#work.pump();
  }

  #isDue(candidate: Candidate): boolean {
    const { content, isAtWork } = candidate;
    return content !== null && !isAtWork && !candidate.waitsForOriginal && this.#isComplete(candidate);
  }

  close(): Promise<void> {
    return this.#work.close();
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
    const verdict = await this.#standings.judge(candidate, candidate.content!, scans);
    if (verdict.kind === 'has original') {
      if (this.#options.ends) this.#leave(candidate, 'compressed copy of a file that is there left out');
      else candidate.waitFor(verdict.original);
    } else if (verdict.kind === 'look again') {
      candidate.content = null;
      candidate.isSpent = false;
    } else if (verdict.kind === 'read') await this.#admit(candidate, verdict);
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
    this.#work.queue(file);
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
}
