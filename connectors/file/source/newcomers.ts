import type { Clock, Logger } from 'sluice/api';
import { Originals, type Original } from './originals.ts';
import type { ArchiveFormat, SavedPosition } from './position.ts';
import type { FileSourceSettings } from './settings.ts';
import { checkBefore, readAt } from './content.ts';
import { createBoundaries, type Boundaries } from './framing/boundaries.ts';
import { compressionOf, HEAD_BYTES, mayBecomeCompressed, restOf } from './signature.ts';
import type { FileStatus, InputFile } from './storage.ts';

export interface FoundFile {
  readonly path: string;
  readonly status: FileStatus;
}

/** Where to begin in a file that was not known; null: not yet, or never. */
export interface Beginning {
  readonly saved: SavedPosition;
  /** A checkpoint of a file that is gone, whose content this is. */
  readonly supersedes: string | null;
}

interface Waiting {
  readonly since: number;
  readonly size: number;
}

interface NewcomersOptions {
  readonly settings: FileSourceSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** With a fixed end there is no waiting for what a copy's original will do. */
  readonly ends: boolean;
  /** It is a compressed file, which others take care of. */
  readonly onArchive: (found: FoundFile, format: ArchiveFormat) => void;
}

/**
 * Decides where to begin in files that turn up. A copy of what was read already begins where its original was read to; one whose original still stands as it
 * was may be the first half of a copytruncate, so it waits a little for the second.
 */
export class Newcomers {
  readonly #options: NewcomersOptions;
  /** By device and inode. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #left = new Set<string>();
  readonly #boundaries: Boundaries;

  constructor(options: NewcomersOptions) {
    this.#options = options;
    this.#boundaries = createBoundaries(options.settings.framing);
  }

  get areWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** `originals` null: the source starts at the end of what is there. */
  async decide({ path, status }: FoundFile, originals: Originals | null): Promise<Beginning | null> {
    const { settings, clock } = this.#options;
    const identity = `${status.key} ${status.born ?? ''}`;
    if (status.size === 0 || this.#left.has(identity)) return null;
    if (clock.now() - status.modifiedMs > settings.ignoreOlderMs) return null;
    const file = await settings.storage.open(path);
    try {
      const now = await file.status();
      if (now.key !== status.key) return null;
      const head = await readAt(file, 0, HEAD_BYTES);
      const compression = compressionOf(head);
      if (compression === 'gzip' || compression === 'zstd') {
        this.#options.onArchive({ path, status: now }, compression);
        return null;
      }
      if (compression !== null) {
        this.#left.add(identity);
        this.#options.log.warn({ path, compression }, 'compressed file left out');
        return null;
      }
      if (!this.#options.ends && mayBecomeCompressed(head)) return null;
      const beginAt = async (offset: number, more: Partial<SavedPosition> = {}): Promise<SavedPosition> => ({
        ...{ path, offset, head, check: await checkBefore(file, offset), born: now.born },
        ...{ isSkipping: false, skipTo: null, isRotated: false, former: [], ...more },
      });
      if (originals === null) {
        const { offset, isSkipping = false } = await this.#boundaries.last(file, now.size);
        return { saved: await beginAt(offset, { isSkipping }), supersedes: null };
      }
      const candidate = { file, head, size: now.size };
      const original = await this.#originalOf(candidate, originals);
      if (original === 'unsure' && this.#waits(status.key, now.size)) return null;
      this.#waiting.delete(status.key);
      if (original === null || original === 'unsure' || this.#isOther(original, now.size))
        return { saved: await beginAt(0), supersedes: null };
      const offset = Math.min(now.size, original.signature.offset);
      this.#options.log.info({ path, original: original.path, offset }, 'copy of a file that was read');
      const rest = offset === original.signature.offset ? restOf(original.signature) : {};
      return { saved: await beginAt(offset, { isRotated: true, ...rest }), supersedes: original.supersedes };
    } finally {
      await file.close();
    }
  }

  /** Forgets those that are not there any more. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#waiting.keys()) if (!keys.has(key)) this.#waiting.delete(key);
  }

  async #originalOf(
    candidate: { readonly file: InputFile; readonly head: Buffer; readonly size: number },
    originals: Originals,
  ): Promise<Original | 'unsure' | null> {
    let isUnsure = false;
    for (const original of originals.like(candidate.head)) {
      if (original.file === null && originals.isFirstScan && !this.#options.ends) {
        isUnsure = true;
        continue;
      }
      if (original.isThere) {
        const state = await originals.stateOf(original, candidate);
        if (state === 'unsure' || state === 'prefix') isUnsure = true;
        if (state !== 'truncated') continue;
      }
      if (await isCopy(candidate, original)) return original;
    }
    return isUnsure ? 'unsure' : null;
  }

  /** A file that is a record holds the same one only when it holds nothing else. */
  #isOther({ signature }: Original, size: number): boolean {
    return this.#options.settings.framing.framing === 'file' && signature.offset !== size;
  }

  /** As long as it grows, or until its time is over. */
  #waits(key: string, size: number): boolean {
    const { settings, clock, ends } = this.#options;
    if (ends) return false;
    const now = clock.monotonic();
    const waiting = this.#waiting.get(key);
    if (waiting?.size === size) return now - waiting.since < settings.copyWaitMs;
    this.#waiting.set(key, { since: now, size });
    return true;
  }
}

/** Does the candidate hold what was read of the original, or the first part of it? They begin alike. */
async function isCopy(
  { file, size }: { readonly file: InputFile; readonly size: number },
  { signature, isGone }: Original,
): Promise<boolean> {
  if (signature.offset === 0) return false;
  if (size >= signature.offset) return (await checkBefore(file, signature.offset)) === signature.check;
  // A copy that was made before the last lines were written; of a file that is gone only the whole is a sign.
  return !isGone;
}
