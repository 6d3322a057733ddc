import { basename, dirname } from 'node:path';
import { checkBefore } from '../content.ts';
import type { FileTable } from '../file-table.ts';
import type { Ancestor } from '../position.ts';
import { beginAlike, MOVED_BYTES, type Signature } from '../signature.ts';
import type { InputFile, InputStorage } from '../storage.ts';
import type { TailedFile } from '../tailed-file.ts';
import type { ArchiveContent } from './inspect.ts';

/** Content that was read, and that may be what a compressed file holds. */
export interface PriorRead {
  readonly path: string;
  readonly signature: Signature;
  /** Whose current content it is; null when that was truncated, or is gone. */
  readonly file: TailedFile | null;
  /** What the file held before a truncation, or the same compressed file when it had fewer bytes. */
  readonly isFormer: boolean;
  readonly key: string | null;
}

/** Everything that begins like this. */
export function priorReads(
  head: Buffer,
  { table, archives }: { readonly table: FileTable; readonly archives: Iterable<TailedFile> },
): PriorRead[] {
  const found: PriorRead[] = [];
  const add = (prior: PriorRead): void => {
    if (beginAlike(head, prior.signature.head)) found.push(prior);
  };
  const addOthers = (path: string, former: readonly Signature[], ancestors: readonly Ancestor[]): void => {
    for (const signature of former) add({ path, signature, file: null, isFormer: true, key: null });
    for (const one of ancestors) add({ path: one.path, signature: one, file: null, isFormer: false, key: null });
  };
  for (const file of table.files) {
    const { path, key, offset, head, check } = file;
    add({ path, signature: { offset, head, check }, file, isFormer: false, key });
    addOthers(path, file.former, file.ancestors);
  }
  for (const archive of archives) {
    const { path, key, former, ancestors, missingSince } = archive;
    // Two compressed files that hold the same are both read.
    if (missingSince !== null) add({ path, signature: archive, file: null, isFormer: false, key });
    addOthers(path, former, ancestors);
  }
  for (const [key, saved] of table.gone) {
    add({ path: saved.path, signature: saved, file: null, isFormer: false, key });
    addOthers(saved.path, saved.former, saved.ancestors ?? []);
  }
  return found;
}

/** How much of the content was read already by this one; null when it was none of it, `unknown` when a pass has to look at its offset first. */
export function readOf(content: ArchiveContent, path: string, prior: PriorRead): number | null | 'unknown' {
  const { offset, check } = prior.signature;
  if (offset === 0) return null;
  // A copy that was made before the last lines were written, and of which the beginning is known.
  if (offset > content.length) return prior.isFormer && content.damage === null ? content.length : null;
  const found = content.checks.get(offset);
  if (found === undefined) return 'unknown';
  if (found !== check) return null;
  return offset >= MOVED_BYTES || prior.isFormer || areNamedAlike(path, prior.path) ? offset : null;
}

/** `original`: the file holds, up to there, what the archive holds. `unsure`: it is not what it was, or is being read just now. */
export async function compareWith(
  file: TailedFile,
  content: ArchiveContent,
  storage: InputStorage,
): Promise<'original' | 'other' | 'gone' | 'unsure'> {
  let opened: InputFile | null = null;
  try {
    opened = await storage.open(file.path);
    const { key, size } = await opened.status();
    if (key !== file.key) return 'gone';
    const mayHold = content.length > 0 && size >= content.length;
    if (mayHold && (await checkBefore(opened, content.length)) === content.endCheck) return 'original';
    const { offset, check } = file;
    return (await checkBefore(opened, offset)) === check && file.offset === offset ? 'other' : 'unsure';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'gone' : 'unsure';
  } finally {
    await opened?.close();
  }
}

/** So little of a file says what it was only together with its name: `app.log.1.gz` was `app.log`. */
function areNamedAlike(one: string, other: string): boolean {
  return dirname(one) === dirname(other) && stemOf(one) === stemOf(other);
}

function stemOf(path: string): string {
  return basename(path)
    .replace(/\.(gz|zst|zstd|z)$/i, '')
    .replace(/([-._]\d+)+$/, '');
}
