import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeadLetterFilter, ReplayTotals } from '../pipeline/index.ts';

const FOLDER = 'replays';
const ID_BYTES = 4;
/** Hex ones of what a replay is about, in the name of its file. */
const DIGITS = 12;

/** How far a replay is, as it is saved. Offsets by `topic/partition`. */
interface Saved {
  readonly version: 1;
  readonly id: string;
  /** What it is about: a replay of other dead letters is another one. */
  readonly about: string;
  /** With times: those of `2h` ago stay what they were. */
  readonly filter: DeadLetterFilter;
  /** The dead letters there were when it began: those that it makes itself lie behind. */
  readonly ends: Readonly<Record<string, number>>;
  readonly next: Readonly<Record<string, number>>;
  readonly totals: ReplayTotals;
}

export interface ReplayAbout {
  readonly pipeline: string;
  /** Topics with their incarnations, the flags as they were given. */
  readonly what: unknown;
}

const NOTHING: ReplayTotals = {
  records: 0,
  delivered: 0,
  refused: 0,
  leftOut: 0,
  parked: 0,
  gone: 0,
  passed: 0,
};

/** The progress of one replay, in a file of the data folder: one that was interrupted goes on where it stood. */
export class ReplayProgress {
  readonly id: string;
  readonly filter: DeadLetterFilter;
  readonly ends: ReadonlyMap<string, number>;
  /** Where to go on; empty for a new one. */
  readonly from: ReadonlyMap<string, number>;
  /** Of what was done before. */
  readonly before: ReplayTotals;
  readonly #path: string;
  readonly #about: string;

  private constructor(path: string, saved: Saved) {
    this.#path = path;
    this.#about = saved.about;
    this.id = saved.id;
    this.filter = saved.filter;
    this.ends = new Map(Object.entries(saved.ends));
    this.from = new Map(Object.entries(saved.next));
    this.before = saved.totals;
  }

  get isResumed(): boolean {
    return this.from.size > 0;
  }

  /** The one that was interrupted, or a new one up to `ends`. */
  static async load(
    dataDir: string,
    { pipeline, what }: ReplayAbout,
    fresh: Pick<ReplayProgress, 'ends' | 'filter'> & { readonly restart: boolean },
  ): Promise<ReplayProgress> {
    const about = JSON.stringify(what);
    const name = `${pipeline}-${createHash('sha256').update(about).digest('hex').slice(0, DIGITS)}.json`;
    const path = join(dataDir, FOLDER, name);
    const known = fresh.restart ? null : await readSaved(path, about);
    if (known !== null) return new ReplayProgress(path, known);
    const id = randomBytes(ID_BYTES).toString('hex');
    return new ReplayProgress(path, {
      version: 1,
      id,
      about,
      filter: fresh.filter,
      ends: Object.fromEntries(fresh.ends),
      next: {},
      totals: NOTHING,
    });
  }

  /** Resolves when it is durable. */
  async save(next: ReadonlyMap<string, number>, totals: ReplayTotals): Promise<void> {
    const saved: Saved = {
      version: 1,
      id: this.id,
      about: this.#about,
      filter: this.filter,
      ends: Object.fromEntries(this.ends),
      next: Object.fromEntries(next),
      totals: this.total(totals),
    };
    await mkdir(join(this.#path, '..'), { recursive: true, mode: 0o700 });
    const temp = `${this.#path}.new`;
    const file = await open(temp, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(saved)}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temp, this.#path);
  }

  /** With what was done before. */
  total(totals: ReplayTotals): ReplayTotals {
    const sum = { ...totals } as Record<keyof ReplayTotals, number>;
    for (const name of Object.keys(NOTHING) as (keyof ReplayTotals)[]) sum[name] += this.before[name];
    return sum;
  }

  /** The next replay of the same begins anew. */
  async end(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

/** Replays of a pipeline that were interrupted begin anew: offsets of before are of no use to them. */
export async function forgetReplays(dataDir: string, pipeline: string): Promise<void> {
  const folder = join(dataDir, FOLDER);
  for (const name of await readdir(folder).catch((): string[] => [])) {
    const end = name.length - '-.json'.length - DIGITS;
    if (name.slice(0, end) === pipeline) await rm(join(folder, name), { force: true });
  }
}

/** Null for none, for one of something else, and for one that cannot be read: to begin anew repeats what is known, and loses nothing. */
async function readSaved(path: string, about: string): Promise<Saved | null> {
  try {
    const saved = JSON.parse(await readFile(path, 'utf8')) as Saved;
    return (saved.version as unknown) === 1 && saved.about === about ? saved : null;
  } catch {
    return null;
  }
}
