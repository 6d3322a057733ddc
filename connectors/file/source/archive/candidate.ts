import type { FoundFile } from '../newcomers.ts';
import type { ArchiveFormat, SavedPosition } from '../position.ts';
import type { FileStatus } from '../storage.ts';
import type { TailedFile } from '../tailed-file.ts';
import type { ArchiveContent } from './inspect.ts';

/** A compressed file of which it is not decided yet what of it was read. */
export class Candidate {
  readonly format: ArchiveFormat;
  path: string;
  status: FileStatus;
  /** What was read of it when it had other bytes. */
  readonly own: SavedPosition | null;
  content: ArchiveContent | null = null;
  isAtWork = false;
  /** A look came to nothing: the next scan tells how the file is by then. */
  isSpent = false;
  /** It holds what this file holds, read up to there so far. */
  #original: { readonly file: TailedFile; offset: number } | null = null;
  #unchangedSince: number;
  #looks = 0;

  constructor({ path, status }: FoundFile, format: ArchiveFormat, more: { own: SavedPosition | null; now: number }) {
    this.path = path;
    this.status = status;
    this.format = format;
    this.own = more.own;
    this.#unchangedSince = more.now;
  }

  /** What it was, or became, since it was seen last. */
  note({ path, status }: FoundFile, now: number): void {
    this.path = path;
    this.isSpent = false;
    if (status.size !== this.status.size || status.modified !== this.status.modified) {
      this.#unchangedSince = now;
      this.content = null;
      this.#original = null;
    }
    this.status = status;
  }

  unchangedMs(now: number): number {
    return now - this.#unchangedSince;
  }

  /** Is it time to look into it? Later each time that it was not complete. */
  isQuiet(now: number, settleMs: number): boolean {
    return this.unchangedMs(now) >= Math.min(settleMs * 2 ** this.#looks, 30 * settleMs);
  }

  /** `status`: as it was before the look. */
  looked(content: ArchiveContent, { size, modified }: FileStatus): void {
    this.#looks++;
    if (size === this.status.size && modified === this.status.modified) this.content = content;
  }

  waitFor(file: TailedFile): void {
    this.#original = { file, offset: file.offset };
  }

  /** Its lines come from the original as long as that stays as it is. */
  get waitsForOriginal(): boolean {
    if (this.#original === null) return false;
    const { file, offset } = this.#original;
    // Truncated it begins again.
    this.#original.offset = Math.max(offset, file.offset);
    return file.missingSince === null && file.offset >= offset;
  }
}
