import type { Clock } from 'sluice/api';
import type { FileTable } from './file-table.ts';
import { checkBefore, holdsSame, readAt } from './content.ts';
import { beginAlike, HEAD_BYTES, MOVED_BYTES, type Signature } from './signature.ts';
import type { InputFile, InputStorage } from './storage.ts';
import type { TailedFile } from './tailed-file.ts';

/** So many first bytes find the few files worth a look among thousands. */
const INDEXED_BYTES = 32;

/** Content that was read, and that a newcomer may be a copy of. */
export interface Original {
  readonly path: string;
  readonly signature: Signature;
  /** It may still be in the file that it was read from; otherwise that was truncated, or is gone. */
  readonly isThere: boolean;
  readonly isGone: boolean;
  readonly file: TailedFile | null;
  /** The checkpoint that is of no use when a file with this content was found. */
  readonly supersedes: string | null;
}

/** Everything that was read, as it stands during one scan. */
export class Originals {
  readonly #storage: InputStorage;
  readonly #clock: Clock;
  readonly #byHead = new Map<string, Original[]>();
  readonly #short: Original[] = [];
  readonly #all: Original[] = [];
  /** A file that one scan did not find may only have changed its name during it. */
  readonly isFirstScan: boolean;

  constructor(
    table: FileTable,
    options: { readonly storage: InputStorage; readonly clock: Clock; readonly isFirstScan: boolean },
  ) {
    this.#storage = options.storage;
    this.#clock = options.clock;
    this.isFirstScan = options.isFirstScan;
    for (const file of table.files) this.addFile(file);
    for (const [key, saved] of table.gone) {
      // Two files that hold the same few lines are nothing special.
      if (saved.offset < MOVED_BYTES) continue;
      this.#add({
        path: saved.path,
        signature: saved,
        isThere: false,
        isGone: true,
        file: null,
        supersedes: table.has(key) ? null : key,
      });
    }
  }

  /**
   * Looks into files that changed and were not read since: what newcomers are copies of may be what stands there now. False when that could not be seen for
   * one of them.
   */
  static async refresh(files: Iterable<TailedFile>, storage: InputStorage, now: number): Promise<boolean> {
    let isSure = true;
    for (const file of files) {
      if (!file.isFresh && file.missingSince === null) isSure = (await refreshOne(file, storage, now)) && isSure;
    }
    return isSure;
  }

  addFile(file: TailedFile): void {
    const { path, former } = file;
    const { offset, head, check, isSkipping, skipTo } = file;
    const current = { offset, head, check, isSkipping, skipTo };
    const isGone = file.missingSince !== null && file.links === 0;
    if (!isGone || offset >= MOVED_BYTES) {
      this.#add({ path, signature: current, isThere: !isGone, isGone, file, supersedes: null });
    }
    for (const signature of former) {
      this.#add({ path, signature, isThere: false, isGone: false, file, supersedes: null });
    }
  }

  /** Those that begin like this. */
  like(head: Buffer): readonly Original[] {
    const candidates =
      head.length < INDEXED_BYTES
        ? this.#all
        : [...(this.#byHead.get(head.toString('latin1', 0, INDEXED_BYTES)) ?? []), ...this.#short];
    return candidates.filter(({ signature }) => beginAlike(head, signature.head));
  }

  /**
   * What became of an original that may still be there: `truncated`; intact, and the candidate is the first part of it (`prefix`) or something `else`; or
   * `unsure`, because it is being read just now or could not be looked at.
   */
  async stateOf(
    { file, signature }: Original,
    candidate: { readonly file: InputFile; readonly size: number },
  ): Promise<'truncated' | 'prefix' | 'else' | 'unsure'> {
    let opened: InputFile | null = null;
    try {
      opened = await this.#storage.open(file!.path);
      // First the comparison: an original that is intact after it was so during it.
      const isPrefix = await holdsSame(candidate.file, candidate.size, opened);
      if ((await opened.status()).key !== file!.key) return 'unsure';
      if ((await checkBefore(opened, signature.offset)) === signature.check) return isPrefix ? 'prefix' : 'else';
      if (file!.former.some(({ offset, check }) => offset === signature.offset && check === signature.check)) {
        return 'truncated';
      }
      if (file!.isBusy || file!.offset !== signature.offset) return 'unsure';
      file!.wasReplaced(this.#clock.monotonic());
      return 'truncated';
    } catch {
      return 'unsure';
    } finally {
      await opened?.close();
    }
  }

  #add(original: Original): void {
    const { head } = original.signature;
    if (head.length === 0) return;
    this.#all.push(original);
    if (head.length < INDEXED_BYTES) {
      this.#short.push(original);
      return;
    }
    const start = head.toString('latin1', 0, INDEXED_BYTES);
    const alike = this.#byHead.get(start);
    if (alike === undefined) this.#byHead.set(start, [original]);
    else alike.push(original);
  }
}

async function refreshOne(file: TailedFile, storage: InputStorage, now: number): Promise<boolean> {
  let opened: InputFile | null = null;
  try {
    opened = await storage.open(file.path);
    if ((await opened.status()).key !== file.key) return false;
    const { offset, check } = file;
    // In this order: when the check holds, the head is still of the same content.
    let head = await readAt(opened, 0, HEAD_BYTES);
    const beginsElse = offset > 0 && head.length > 0 && file.head.length > 0 && !beginAlike(head, file.head);
    const isReplaced = beginsElse || (await checkBefore(opened, offset)) !== check;
    if (isReplaced) head = await readAt(opened, 0, HEAD_BYTES);
    // Whoever reads it sees it as well, and moves on.
    if (file.isBusy || file.offset !== offset) return !isReplaced;
    if (isReplaced) file.wasReplaced(now);
    file.sawBytes(head, 0, head.length);
    file.isFresh = true;
    return true;
  } catch {
    // Complained of when it is read; a file that nobody can read keeps no other waiting.
    return true;
  } finally {
    await opened?.close();
  }
}
