import { join } from 'node:path';
import { SluiceError } from '../../api/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import type { FileSystem, LogFile } from './file-system.ts';
import { listIfThere, removeIfThere, writeNew, writeWhole } from './files.ts';
import { encodeFrame, type JournalFrame } from './journal-frame.ts';
import { loadJournal, type LoadedJournal } from './journal-load.ts';
import { JournalState } from './journal-state.ts';
import { generationName, journalFolder, journalsFolder, parseGenerationName } from './paths.ts';

export type FrameContent = Omit<JournalFrame, 'sequence'>;

interface JournalPlace {
  readonly fileSystem: FileSystem;
  readonly dataDir: string;
  readonly pipeline: string;
}

/**
 * The commit journal of one pipeline, for its one writer. After a call that threw nothing may be appended before `cutBack` or `renew` succeeded.
 */
export class Journal {
  readonly state: JournalState;
  readonly #fileSystem: FileSystem;
  readonly #folder: string;
  readonly #pipeline: string;
  #file: LogFile | null = null;
  #generation: number;
  /** The generation of the newest durable snapshot. */
  #anchor: number;
  #bytes: number;
  #snapshotBytes: number;

  private constructor({ fileSystem, dataDir, pipeline }: JournalPlace, loaded: LoadedJournal) {
    this.#fileSystem = fileSystem;
    this.#folder = journalFolder(dataDir, pipeline);
    this.#pipeline = pipeline;
    this.state = loaded.state;
    this.#generation = loaded.generation;
    this.#anchor = loaded.anchor;
    this.#bytes = loaded.bytes;
    this.#snapshotBytes = loaded.snapshotBytes;
  }

  /** Makes what a crash left whole again: cuts the torn tail, and replaces a damaged snapshot. Null when there is no journal. Throws `LOG_CORRUPT`. */
  static async recover(place: JournalPlace): Promise<Journal | null> {
    const { fileSystem, dataDir, pipeline } = place;
    const folder = journalFolder(dataDir, pipeline);
    const loaded = await loadJournal(fileSystem, folder, pipeline);
    if (loaded === null) return null;
    const journal = new Journal(place, loaded);
    try {
      // Also without a torn tail: what the last process wrote may not be on the disk yet, and readers are about to see it.
      await journal.cutBack();
      await fileSystem.syncFolder(folder);
      if (journal.#anchor !== journal.#generation) await journal.renew();
    } catch (error) {
      await journal.close();
      throw error;
    }
    return journal;
  }

  static async create(place: JournalPlace): Promise<Journal> {
    const { fileSystem, dataDir, pipeline } = place;
    const folder = journalFolder(dataDir, pipeline);
    await fileSystem.makeFolder(folder);
    await fileSystem.syncFolder(journalsFolder(dataDir));
    const nothing = { state: new JournalState(), generation: 0, anchor: 0, bytes: 0, tornBytes: 0, snapshotBytes: 0 };
    const journal = new Journal(place, nothing);
    try {
      await journal.renew();
    } catch (error) {
      await journal.close();
      throw error;
    }
    return journal;
  }

  /** Goes on from a state that was put together from what is left, as the generation behind `newest`, which may be damaged. */
  static async replace(place: JournalPlace, state: JournalState, newest: number): Promise<void> {
    const { fileSystem, dataDir, pipeline } = place;
    await fileSystem.makeFolder(journalFolder(dataDir, pipeline));
    await fileSystem.syncFolder(journalsFolder(dataDir));
    const left = { state, generation: newest, anchor: newest, bytes: 0, tornBytes: 0, snapshotBytes: 0 };
    await closing(new Journal(place, left), (journal) => journal.renew());
  }

  /** Time for a new generation? */
  isLargerThan(bytes: number): boolean {
    return this.#bytes > Math.max(bytes, 2 * this.#snapshotBytes);
  }

  /** Resolves when the frame is durable; only then the state has it. */
  async append(content: FrameContent): Promise<void> {
    if (this.#anchor !== this.#generation)
      throw new SluiceError('LOG_IO', 'appending to a journal without its snapshot', { retryable: true });
    const frame: JournalFrame = { sequence: this.state.sequence + 1, ...content };
    const bytes = encodeFrame(frame);
    const file = await this.#open();
    await writeWhole(file, [bytes], this.#bytes);
    crashPoint('frame-written');
    await file.sync();
    this.#bytes += bytes.length;
    this.state.apply(frame);
  }

  /** Takes away what lies behind the last committed frame, durably. */
  async cutBack(): Promise<void> {
    const file = await this.#open();
    if ((await file.size()) > this.#bytes) await file.truncate(this.#bytes);
    await file.sync();
  }

  /**
   * Writes the state as the snapshot of a new generation. Generation n−1 stays until the next one is durable. A snapshot says nothing that the journal before
   * it did not: it can be made again.
   */
  async renew(): Promise<void> {
    const generation = this.#generation + 1;
    const header = { version: 1, pipeline: this.#pipeline, generation, previousBytes: this.#bytes } as const;
    const headerBytes = encodeFrame(header);
    const snapshot = Buffer.concat([headerBytes, encodeFrame(this.state.toFrame())]);
    const path = this.#path('snapshot', generation);
    const temporary = `${path}.tmp`;
    await writeNew(this.#fileSystem, temporary, snapshot);
    crashPoint('snapshot-written');
    await writeNew(this.#fileSystem, this.#path('journal', generation), headerBytes);
    // A snapshot without its journal would be taken for a damaged generation: the journal's name comes first.
    await this.#fileSystem.syncFolder(this.#folder);
    await this.#switchTo(generation, headerBytes.length);
    crashPoint('journal-begun');
    await this.#fileSystem.rename(temporary, path);
    crashPoint('snapshot-renamed');
    await this.#fileSystem.syncFolder(this.#folder);
    const keptFrom = this.#anchor;
    this.#anchor = generation;
    this.#snapshotBytes = snapshot.length;
    await this.#removeBelow(keptFrom);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  async #open(): Promise<LogFile> {
    return (this.#file ??= await this.#fileSystem.open(this.#path('journal', this.#generation), 'write'));
  }

  async #switchTo(generation: number, bytes: number): Promise<void> {
    const before = this.#file;
    this.#file = null;
    this.#generation = generation;
    this.#bytes = bytes;
    await before?.close();
  }

  /** What cannot be removed now is removed with the next generation. */
  async #removeBelow(generation: number): Promise<void> {
    const names = await listIfThere(this.#fileSystem, this.#folder).catch(() => []);
    for (const name of names) {
      const parsed = parseGenerationName(name);
      if (parsed === null || parsed.generation >= generation) continue;
      await removeIfThere(this.#fileSystem, join(this.#folder, name)).catch(() => undefined);
    }
  }

  #path(kind: 'snapshot' | 'journal', generation: number): string {
    return join(this.#folder, generationName(generation, kind));
  }
}

/** The state of a journal that is only looked at, beside a running hub too. */
export function readJournal(place: JournalPlace): Promise<LoadedJournal | null> {
  const { fileSystem, dataDir, pipeline } = place;
  return loadJournal(fileSystem, journalFolder(dataDir, pipeline), pipeline);
}

/** Closes a journal that stays as it is. */
export async function closing<Result>(journal: Journal, use: (journal: Journal) => Promise<Result>): Promise<Result> {
  try {
    return await use(journal);
  } finally {
    await journal.close();
  }
}
