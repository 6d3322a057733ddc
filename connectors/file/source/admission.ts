import type { Position } from 'sluice/api';
import type { Archives } from './archive/archives.ts';
import { Newcomers, type FoundFile } from './newcomers.ts';
import { Originals } from './originals.ts';
import { STARTED, toPosition, type ArchiveFormat } from './position.ts';
import type { TailRun } from './tail-run.ts';
import { TailedFile } from './tailed-file.ts';

/** Takes files in that a search found and nobody knows. */
export class Admission {
  readonly #run: TailRun;
  readonly #newcomers: Newcomers;
  readonly #isFirstStart: boolean;
  /** Compressed files that were there when the source started at the end. */
  readonly #skipped: (readonly [string, Position])[] = [];
  #scan = 0;

  constructor(run: TailRun, archives: Archives, { isFirstStart }: { readonly isFirstStart: boolean }) {
    const { settings, context, ends } = run;
    this.#run = run;
    this.#isFirstStart = isFirstStart;
    const onArchive = (found: FoundFile, format: ArchiveFormat): void => {
      if (this.#startsAtEnd) this.#skipped.push(archives.skip(found, format));
      else archives.add(found, format, { own: null, now: run.now });
    };
    this.#newcomers = new Newcomers({ settings, clock: context.clock, log: context.log, ends, onArchive });
  }

  /** Resolves with those that may be read. `scan` is the number of the search. */
  async admit(unknown: readonly FoundFile[], scan: number, now: number): Promise<TailedFile[]> {
    const { settings, table, ends, scanSoon } = this.#run;
    this.#scan = scan;
    const startsAtEnd = this.#startsAtEnd;
    this.#newcomers.retain(new Set(unknown.map(({ status }) => status.key)));
    if (unknown.every(({ status }) => status.size === 0) && !startsAtEnd) return [];
    // What cannot be told now can at the next scan.
    if (!(await Originals.refresh(table.files, settings.storage, now)) && !ends) {
      scanSoon();
      return [];
    }
    const admitted: TailedFile[] = [];
    // The scan may have found thousands: what they could be copies of is gathered once, and only if there are any.
    let originals: Originals | null = null;
    for (const found of [...unknown].sort(originalsFirst)) {
      if (found.status.size === 0) continue;
      if (!startsAtEnd) originals ??= this.#originals();
      const file = await this.#admitOne(found, originals, now);
      if (file === null) continue;
      originals?.addFile(file);
      admitted.push(file);
    }
    if (startsAtEnd) await this.#saveStart(admitted);
    return admitted.sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  get #startsAtEnd(): boolean {
    return this.#run.settings.start === 'end' && this.#isFirstStart && this.#scan === 1;
  }

  #originals(): Originals {
    const { table, settings, context } = this.#run;
    return new Originals(table, { storage: settings.storage, clock: context.clock, isFirstScan: this.#scan === 1 });
  }

  async #admitOne({ path, status }: FoundFile, originals: Originals | null, now: number): Promise<TailedFile | null> {
    const { table, complaints, ends } = this.#run;
    try {
      const beginning = await this.#newcomers.decide({ path, status }, originals);
      complaints.settled(path);
      if (beginning === null) return null;
      const file = new TailedFile(status.key, beginning.saved, now);
      file.supersedes = beginning.supersedes;
      file.isUnsaved = beginning.saved.offset > 0;
      if (file.supersedes !== null) table.forgetGone(file.supersedes);
      const gone = table.gone.get(file.key);
      if (gone !== undefined) file.descendFrom(gone, now);
      if (ends) file.limit = status.size;
      file.scan = this.#scan;
      file.note(status, now);
      return table.add(file);
    } catch (error) {
      this.#run.complainOf(path, error);
      return null;
    }
  }

  /** Where it started at the end, all at once: files that a later start does not know are new then. */
  async #saveStart(files: readonly TailedFile[]): Promise<void> {
    const { context, unsettled, now } = this.#run;
    const positions: (readonly [string, Position])[] = files.map((file) => [file.key, toPosition(file.position(now))]);
    positions.push(...this.#skipped, [STARTED, { start: 'end' }]);
    unsettled.add(context.emit(await context.batch(), { positions }));
    for (const file of files) file.isUnsaved = false;
  }
}

/** What a copy was made of holds at least as much as the copy, and is older. */
function originalsFirst({ status: one }: FoundFile, { status: other }: FoundFile): number {
  if (one.size !== other.size) return other.size - one.size;
  return one.born !== null && other.born !== null ? Number(BigInt(one.born) - BigInt(other.born)) : 0;
}
