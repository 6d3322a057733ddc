import type { FileTable } from '../file-table.ts';
import type { InputStorage } from '../storage.ts';
import type { TailedFile } from '../tailed-file.ts';
import type { Candidate } from './candidate.ts';
import type { ArchiveContent } from './inspect.ts';
import { compareWith, priorReads, readOf, type PriorRead } from './prior-reads.ts';

interface StandingsOptions {
  readonly storage: InputStorage;
  readonly table: FileTable;
  readonly archives: () => Iterable<TailedFile>;
  /** With a fixed end there is no waiting for what will become of a file. */
  readonly ends: boolean;
  /** The source has to end, and nothing will be surer. */
  readonly mustDecide: () => boolean;
}

/** What is to become of a candidate. */
export type Verdict =
  /** Its lines come from the original, which is there. */
  | { readonly kind: 'has original'; readonly original: TailedFile }
  /** That cannot be told yet. */
  | { readonly kind: 'later' }
  /** Another pass has to look at offsets that were not known. */
  | { readonly kind: 'look again' }
  /** It is read from here on; `prior` tells what was read before. */
  | { readonly kind: 'read'; readonly offset: number; readonly prior: PriorRead | null };

/** Tells what of compressed files was read already, by what is known of everything else. */
export class Standings {
  readonly #options: StandingsOptions;

  constructor(options: StandingsOptions) {
    this.#options = options;
  }

  priorsOf({ path, own }: Candidate, head: Buffer): readonly PriorRead[] {
    const { table, archives } = this.#options;
    const priors = priorReads(head, { table, archives: archives() });
    return own === null ? priors : [...priors, { path, signature: own, file: null, isFormer: true, key: null }];
  }

  /** `scans`: how many there were. */
  async judge(candidate: Candidate, content: ArchiveContent, scans: number): Promise<Verdict> {
    const { ends } = this.#options;
    let begin: { readonly offset: number; readonly prior: PriorRead | null } = { offset: 0, prior: null };
    for (const prior of this.priorsOf(candidate, content.head)) {
      const standing = prior.file === null ? 'away' : await this.#standingOf(prior.file, content, scans);
      if (standing === 'original') return { kind: 'has original', original: prior.file! };
      // What was not found by one scan may only have changed its name during it.
      if (standing === 'in motion' || (prior.key !== null && scans < 2 && !ends)) return { kind: 'later' };
      if (standing === 'other') continue;
      const read = readOf(content, candidate.path, prior);
      if (read === 'unknown') return { kind: 'look again' };
      if (read !== null && read >= begin.offset) begin = { offset: read, prior };
    }
    return { kind: 'read', ...begin };
  }

  /**
   * `original`: it is there, and holds what the archive holds. `in motion`: that cannot be told, or it is not read to its end yet. `away`: nothing of it
   * will be read any more.
   */
  async #standingOf(
    file: TailedFile,
    content: ArchiveContent,
    scans: number,
  ): Promise<'original' | 'other' | 'in motion' | 'away'> {
    if (file.missingSince === null) {
      const compared = await compareWith(file, content, this.#options.storage);
      if (compared === 'original' || compared === 'other') return compared;
      return this.#options.mustDecide() ? 'away' : 'in motion';
    }
    if (file.isBusy || file.isQueued || scans - file.scan < 2) return 'in motion';
    if (file.handle === null) return 'away';
    const status = await file.handle.status().catch(() => null);
    return status === null || status.size > file.offset ? 'in motion' : 'away';
  }
}
