import type { Position, SourceContext } from 'sluice/api';
import { Admission } from './admission.ts';
import { Archives } from './archive/archives.ts';
import { BlockReader } from './block-reader.ts';
import { Complaints } from './complaints.ts';
import { Departures } from './departures.ts';
import { FileTable } from './file-table.ts';
import { Framing } from './framing/framing.ts';
import { Glob } from './glob.ts';
import { watchHints } from './hints.ts';
import type { FoundFile } from './newcomers.ts';
import { OpenFiles } from './open-files.ts';
import { Polls } from './polls.ts';
import { ReadQueue } from './read-queue.ts';
import { ScanTimes } from './scan-times.ts';
import { Scanner } from './scanner.ts';
import type { FileSourceSettings } from './settings.ts';
import { TailRun } from './tail-run.ts';
import type { TailedFile } from './tailed-file.ts';
import { Turns } from './turns.ts';
import { Unsettled } from './unsettled.ts';
import { Waker } from './waker.ts';

/** Events come in bursts: those that come at once are one reason to look. */
const MIN_PAUSE_MS = 10;

/** One run over the files: looks for them, looks at them, and has read what is new. */
export class Tailer {
  readonly #run: TailRun;
  readonly #glob: Glob;
  readonly #scanner: Scanner;
  readonly #times: ScanTimes;
  readonly #waker: Waker;
  readonly #archives: Archives;
  readonly #admission: Admission;
  readonly #departures: Departures;
  readonly #queue: ReadQueue;
  readonly #polls: Polls;
  #scans = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(settings: FileSourceSettings, context: SourceContext, positions: ReadonlyMap<string, Position>) {
    const { storage } = settings;
    const { clock, signal, log } = context;
    this.#waker = new Waker(clock, signal);
    this.#times = new ScanTimes(settings.scanMs);
    this.#glob = new Glob(settings.include, settings.exclude, storage);
    const run = new TailRun({
      ...{ settings, context, ends: context.once || !settings.follows, unsettled: new Unsettled() },
      ...{ complaints: new Complaints(log), table: new FileTable(positions, log) },
      open: new OpenFiles(storage, settings.maxOpenFiles),
      scanSoon: () => {
        this.#times.soon(run.now);
        this.#waker.wake();
      },
    });
    this.#run = run;
    this.#scanner = new Scanner(this.#glob, storage, run.complaints);
    const framing = new Framing(settings.framing, { log, clock });
    const onEmitted = (emitted: Promise<void>, file: TailedFile): void => {
      run.unsettled.add(emitted);
      this.#departures.forgetSuperseded(emitted, file);
    };
    const createReader = (): BlockReader => new BlockReader(context, { framing, onEmitted });
    this.#archives = this.#createArchives(createReader);
    this.#departures = new Departures(run, this.#archives);
    this.#admission = new Admission(run, this.#archives, { isFirstStart: positions.size === 0 });
    this.#queue = this.#createQueue(createReader);
    this.#polls = new Polls(run, this.#queue, framing.waits);
  }

  /** Returns when there is nothing more to wait for, and everything emitted is durable. */
  async run(): Promise<void> {
    const { context, unsettled, open } = this.#run;
    const watch = this.#watch();
    try {
      while (!(await this.#look())) {
        await this.#waker.sleep(this.#pause());
        await context.clock.sleep(MIN_PAUSE_MS, context.signal);
      }
      await unsettled.settled();
    } catch (error) {
      throw this.#failure?.error ?? error;
    } finally {
      await Promise.all([this.#queue.close(), this.#archives.close()]);
      await open.closeAll();
      await watch?.close();
    }
  }

  #createArchives(createReader: () => BlockReader): Archives {
    const run = this.#run;
    return new Archives(
      {
        ...{ settings: run.settings, context: run.context, complaints: run.complaints, ends: run.ends },
        ...{ table: run.table, createReader },
        onEmitted: (emitted) => {
          run.unsettled.add(emitted);
        },
        onFailure: (error) => {
          this.#failed(error);
        },
        rests: () => this.#queue.isEmpty,
        wake: () => {
          this.#waker.wake();
        },
        drop: (file) => run.drop(file),
      },
      run.table.archives,
    );
  }

  #createQueue(createReader: () => BlockReader): ReadQueue {
    const turns = new Turns(this.#run, {
      archives: this.#archives,
      again: (file) => {
        this.#queue.add(file);
      },
      onFinished: () => {
        this.#waker.wake();
      },
    });
    return new ReadQueue({
      createReader,
      turn: (file, reader) => turns.take(file, reader),
      onFailure: (error) => {
        this.#failed(error);
      },
    });
  }

  #failed(error: unknown): void {
    this.#failure ??= { error };
    this.#waker.wake();
  }

  /** True when the source is at its end. */
  async #look(): Promise<boolean> {
    const run = this.#run;
    if (run.now >= this.#times.nextAt) {
      this.#times.begun();
      const searchMs = await this.#scan();
      this.#times.ended(run.now, searchMs);
    }
    if (!run.ends) await this.#polls.poll();
    await this.#archives.settle(this.#scans);
    if (this.#failure !== null) throw this.#failure.error;
    this.#report();
    return run.ends && this.#isAtEnd();
  }

  #pause(): number {
    const { now, ends } = this.#run;
    const next = ends ? this.#times.nextAt : Math.min(this.#times.nextAt, this.#polls.nextAt);
    return Math.max(0, next - now);
  }

  /** Returns how long the search took, without what is done once about the files that it found. */
  async #scan(): Promise<number> {
    const { ends, table } = this.#run;
    const scan = ++this.#scans;
    const startedAt = this.#run.now;
    const found = await this.#scanner.scan();
    const { now } = this.#run;
    const unknown: FoundFile[] = [];
    const ready: TailedFile[] = [];
    for (const one of found) {
      if (this.#archives.sees(one, now)) continue;
      const file = table.find(one.path, one.status, now);
      if (file === undefined) unknown.push(one);
      else if (this.#sees(file, one, now)) ready.push(file);
    }
    await this.#departures.look(scan, now);
    this.#archives.retain(new Set(found.map(({ status }) => status.key)), now);
    // With a fixed end whatever appears later is not read.
    if (scan === 1 || !ends) ready.push(...(await this.#admission.admit(unknown, scan, now)));
    // Not sooner: where to begin in a copy is seen best while its original rests.
    for (const file of ready) this.#queue.add(file);
    return now - startedAt;
  }

  /** True when something of it may have to be read. */
  #sees(file: TailedFile, { path, status }: FoundFile, now: number): boolean {
    const { table, ends } = this.#run;
    file.scan = this.#scans;
    file.missingSince = null;
    if (file.path !== path) table.moved(file, path);
    if (this.#scans === 1 && ends) file.limit = status.size;
    if (file.note(status, now)) return true;
    if (file.handle === null) this.#polls.finishIfLeft(file, now);
    return false;
  }

  #isAtEnd(): boolean {
    if (!this.#queue.isEmpty) return false;
    for (const file of this.#run.table.files) if (!file.isDone) return false;
    return this.#archives.isIdle;
  }

  #report(): void {
    const { table, complaints, ends, context } = this.#run;
    const size = table.size + this.#archives.size;
    let unread = 0;
    for (const file of table.files) unread += file.isDone ? 0 : file.unread;
    const files = size === 1 ? '1 file' : `${size} files`;
    const doing = unread > 0 || this.#archives.isBusy ? 'reading' : ends ? 'read' : 'following';
    const unreadable = complaints.count === 0 ? '' : `, ${complaints.count} unreadable`;
    context.report(`${files}, ${doing}${unreadable}`);
  }

  #watch(): { close(): Promise<void> } | null {
    return watchHints(this.#run, this.#glob, (path) => {
      this.#polls.hint(path);
      this.#waker.wake();
    });
  }
}
