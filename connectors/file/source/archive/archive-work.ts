import type { SourceContext } from 'sluice/api';
import { isFileError, type Complaints } from '../complaints.ts';
import { createRecordEnds } from '../framing/record-ends.ts';
import type { FileSourceSettings } from '../settings.ts';
import type { InputFile } from '../storage.ts';
import type { Archive, ArchiveReader } from './archive-reader.ts';
import { Candidate } from './candidate.ts';
import { archiveHead, inspectArchive } from './inspect.ts';
import type { PriorRead } from './prior-reads.ts';

/** A file that cannot be read to its end is given up when the source has to end. */
export const MAX_FAILURES = 3;

interface ArchiveWorkOptions {
  readonly settings: FileSourceSettings;
  readonly context: SourceContext;
  readonly complaints: Complaints;
  readonly ends: boolean;
  readonly reader: ArchiveReader;
  readonly candidates: ReadonlyMap<string, Candidate>;
  /** Everything that begins like this and may be what the candidate holds. */
  readonly priorsOf: (candidate: Candidate, head: Buffer) => readonly PriorRead[];
  /** It cannot be looked into in this run. */
  readonly onGivenUp: (candidate: Candidate) => void;
  /** Nothing can go on. */
  readonly onFailure: (error: unknown) => void;
  /** There is something to settle. */
  readonly wake: () => void;
}

/** Looks into compressed files and reads them, one at a time, whatever the number. */
export class ArchiveWork {
  readonly #options: ArchiveWorkOptions;
  readonly #toRead: Archive[] = [];
  #work: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: ArchiveWorkOptions) {
    this.#options = options;
  }

  get isUnderWay(): boolean {
    return this.#work !== null;
  }

  /** Nothing is read, and nothing waits for that. */
  get isIdle(): boolean {
    return this.#work === null && this.#toRead.length === 0;
  }

  queue(file: Archive): void {
    if (file.isQueued) return;
    file.isQueued = true;
    this.#toRead.push(file);
  }

  /** Begins if there is something to do. */
  pump(): void {
    if (this.#work !== null || this.#isClosed || this.#next() === null) return;
    this.#work = this.#run().then(() => {
      this.#work = null;
      this.#options.wake();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#work;
  }

  #next(): Archive | Candidate | null {
    const file = this.#toRead[0];
    if (file !== undefined) return file;
    const { settings, ends, context, candidates } = this.#options;
    const now = context.clock.monotonic();
    const ready = [...candidates.values()].filter(
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
    const { complaints, ends, context, onGivenUp } = this.#options;
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isGone) complaints.about(next.path, error, 'file not readable');
    // The next scan tries it again.
    if (!ends) return;
    if (next instanceof Candidate) onGivenUp(next);
    else if (++next.failures === MAX_FAILURES) {
      context.log.error({ path: next.path, offset: next.offset }, 'file given up before its end');
    }
  }

  async #inspect(candidate: Candidate): Promise<void> {
    const { settings, context, priorsOf } = this.#options;
    candidate.isAtWork = true;
    candidate.isSpent = true;
    const { status, format } = candidate;
    let file: InputFile | null = null;
    try {
      file = await settings.storage.open(candidate.path);
      if ((await file.status()).key !== status.key) return;
      const priors = priorsOf(candidate, await archiveHead(file, format));
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
      const end = await this.#options.reader.read(file, () => !this.#isClosed);
      // A scan looks at it again.
      if (end === 'changed') file.archive = { ...file.archive, bytes: -1 };
    } finally {
      file.isBusy = false;
    }
  }
}

export function olderFirst(one: Candidate, other: Candidate): number {
  return one.status.modifiedMs - other.status.modifiedMs || (one.path < other.path ? -1 : 1);
}
