import type { ReadQueue } from './read-queue.ts';
import type { TailRun } from './tail-run.ts';
import type { FileWaits, TailedFile } from './tailed-file.ts';

const STATUS_AT_ONCE = 32;

/** Looks at open files whether they have grown: each at its interval, and those that are hinted at, at once. */
export class Polls {
  readonly #run: TailRun;
  readonly #queue: ReadQueue;
  readonly #waits: FileWaits;
  readonly #hinted = new Set<string>();

  constructor(run: TailRun, queue: ReadQueue, waits: FileWaits) {
    this.#run = run;
    this.#queue = queue;
    this.#waits = waits;
  }

  /** When the next file is due. */
  get nextAt(): number {
    let next = Infinity;
    for (const { nextPollAt } of this.#run.open.files) next = Math.min(next, nextPollAt);
    return next;
  }

  hint(path: string): void {
    this.#hinted.add(path);
  }

  async poll(): Promise<void> {
    const { table, open, now } = this.#run;
    const hinted = new Set([...this.#hinted].map((path) => table.at(path)));
    this.#hinted.clear();
    const due = [...open.files].filter((file) => file.nextPollAt <= now || hinted.has(file));
    for (let first = 0; first < due.length; first += STATUS_AT_ONCE) {
      await Promise.all(due.slice(first, first + STATUS_AT_ONCE).map((file) => this.#pollOne(file, now)));
    }
  }

  async #pollOne(file: TailedFile, now: number): Promise<void> {
    const { closeInactiveMs, pollMs } = this.#run.settings;
    file.polled(now, pollMs, this.#waits);
    if (file.isBusy || file.isQueued || file.handle === null) return;
    try {
      if (file.note(await file.handle.status(), now)) {
        this.#queue.add(file);
        return;
      }
    } catch (error) {
      this.#run.complainOf(file.path, error);
      await this.#run.open.close(file);
      return;
    }
    if (this.finishIfLeft(file, now)) return;
    if (now - file.lastChange >= closeInactiveMs && file.missingSince === null) await this.#run.open.close(file);
  }

  /** What a writer left at the end of a file is read when it counts as finished. */
  finishIfLeft(file: TailedFile, now: number): boolean {
    if (this.#run.ends) return false;
    const { rotateWaitMs } = this.#run.settings;
    const wallNow = this.#run.context.clock.now();
    if (!file.rests({ now, wallNow }, { ...this.#waits, rotateWaitMs })) return false;
    this.#queue.add(file);
    return true;
  }
}
