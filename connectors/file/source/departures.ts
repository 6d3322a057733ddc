import type { Archives } from './archive/archives.ts';
import type { TailRun } from './tail-run.ts';
import type { TailedFile } from './tailed-file.ts';

/** When the source has to end, a file that so many searches did not find is not waited for. */
const MAX_MISSES = 3;

/** Lets go of files that are not found any more, and of what is saved of them. */
export class Departures {
  readonly #run: TailRun;
  readonly #archives: Archives;
  /** What was saved of files that no search of this run has found: since when. */
  #goneSince: number | null = null;

  constructor(run: TailRun, archives: Archives) {
    this.#run = run;
    this.#archives = archives;
  }

  /** After a search, of which the number stands in the files that it found. */
  async look(scan: number, now: number): Promise<void> {
    const { table, ends, settings } = this.#run;
    const { forgetAfterMs, closeInactiveMs } = settings;
    for (const file of [...table.files]) {
      if (file.scan === scan || file.isBusy || file.isQueued) continue;
      if (ends) {
        // Its name may have changed while the folder was listed.
        if (++file.failures > MAX_MISSES) file.isDone = true;
        continue;
      }
      file.missingSince ??= now;
      const waitMs = file.links === 0 ? closeInactiveMs : forgetAfterMs;
      if (now - Math.max(file.missingSince, file.lastChange) < waitMs) continue;
      if (this.#archives.areUndecided) continue;
      await this.#run.drop(file);
      this.#run.forget(file.key);
    }
    if (!ends) this.#forgetGone(now);
  }

  /** Not before `emitted`: until then it is what says how far the file was read. Never when the inode is another file's by now, and with it the checkpoint. */
  forgetSuperseded(emitted: Promise<void>, file: TailedFile): void {
    const { table, context, unsettled } = this.#run;
    const { supersedes } = file;
    if (supersedes === null) return;
    file.supersedes = null;
    const isUsed = (): boolean => table.has(supersedes) || this.#archives.has(supersedes);
    unsettled.add(emitted.then(() => (isUsed() ? undefined : context.forget(supersedes))));
  }

  #forgetGone(now: number): void {
    const { table, settings } = this.#run;
    this.#goneSince ??= now;
    if (now - this.#goneSince < settings.forgetAfterMs || this.#archives.areUndecided) return;
    for (const key of [...table.gone.keys()]) {
      table.forgetGone(key);
      if (!table.has(key)) this.#run.forget(key);
    }
  }
}
