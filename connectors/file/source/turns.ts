import type { Archives } from './archive/archives.ts';
import type { BlockReader } from './block-reader.ts';
import { isFileError } from './complaints.ts';
import { readAt } from './content.ts';
import { compressionOf, HEAD_BYTES, mayBecomeCompressed } from './signature.ts';
import type { TailRun } from './tail-run.ts';
import type { TailedFile } from './tailed-file.ts';

/** Before the next file gets its turn. */
const BLOCKS_PER_TURN = 4;
/** A file that cannot be read to its end is given up when the source has to end. */
const MAX_FAILURES = 3;

interface TurnsOptions {
  readonly archives: Archives;
  /** There is more to read of it. */
  readonly again: (file: TailedFile) => void;
  readonly onFinished: () => void;
}

/** Reads a file as far as one turn goes. */
export class Turns {
  readonly #run: TailRun;
  readonly #options: TurnsOptions;

  constructor(run: TailRun, options: TurnsOptions) {
    this.#run = run;
    this.#options = options;
  }

  /** Rejects only when nothing can go on. */
  async take(file: TailedFile, reader: BlockReader): Promise<void> {
    const run = this.#run;
    try {
      if (!(await run.open.use(file))) {
        file.forgetLook();
        run.scanSoon();
        return;
      }
      run.complaints.settled(file.path);
      for (let block = 0; block < BLOCKS_PER_TURN;) {
        run.context.signal.throwIfAborted();
        if (file.offset === 0 && (await this.#isArchive(file))) return;
        const end = await reader.read(file, file.handle!);
        if (end === 'end') {
          if (run.ends) this.#finish(file);
          return;
        }
        if (end === 'more') block++;
        else {
          file.wasReplaced(run.now);
          // The copy of what was there may be among the files by now.
          run.scanSoon();
        }
      }
      this.#options.again(file);
    } catch (error) {
      if (!isFileError(error)) throw error;
      await this.#failed(file, error);
    }
  }

  /** True, too, while it may become one. It can by others' doing, or because its inode is that of another file by now. */
  async #isArchive(file: TailedFile): Promise<boolean> {
    const run = this.#run;
    const handle = file.handle!;
    const [head, status] = await Promise.all([readAt(handle, 0, HEAD_BYTES), handle.status()]);
    const format = compressionOf(head);
    if (format !== 'gzip' && format !== 'zstd') return !run.ends && !file.isFinal && mayBecomeCompressed(head);
    const { now } = run;
    await run.open.close(file);
    run.table.lost(file, now);
    this.#options.archives.add({ path: file.path, status }, format, { own: null, now });
    run.scanSoon();
    return true;
  }

  async #failed(file: TailedFile, error: unknown): Promise<void> {
    const run = this.#run;
    run.complainOf(file.path, error);
    await run.open.close(file);
    // The next scan sees it as changed, so it is tried again.
    file.forgetLook();
    if (run.ends && ++file.failures >= MAX_FAILURES) {
      run.context.log.error({ path: file.path, offset: file.offset }, 'file given up before its end');
      this.#finish(file);
    }
  }

  #finish(file: TailedFile): void {
    file.isDone = true;
    this.#options.onFinished();
  }
}
