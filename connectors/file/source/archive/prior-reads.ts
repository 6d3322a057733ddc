import { basename, dirname } from 'node:path';
import { checkBefore } from '../content.ts';
import type { FileTable } from '../file-table.ts';
import type { SavedPosition } from '../position.ts';
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
  { table, archives }: { readonly table: FileTable; readonly archives: Iterable<readonly [string, SavedPosition]> },
): PriorRead[] {
  const found: PriorRead[] = [];
  const add = (prior: PriorRead): void => {
    if (beginAlike(head, prior.signature.head)) found.push(prior);
  };
  const addFormer = (path: string, former: readonly Signature[]): void => {
    for (const signature of former) add({ path, signature, file: null, isFormer: true, key: null });
  };
  for (const file of table.files) {
    const { path, key, offset, head, check } = file;
    add({ path, signature: { offset, head, check }, file, isFormer: false, key });
    addFormer(path, file.former);
  }
  for (const [key, saved] of [...table.gone, ...archives]) {
    add({ path: saved.path, signature: saved, file: null, isFormer: false, key });
    addFormer(saved.path, saved.former);
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

/** Does the file hold, up to there, what the archive holds? Null when it is not there any more. */
export async function holdsContent(
  file: TailedFile,
  content: ArchiveContent,
  storage: InputStorage,
): Promise<boolean | null> {
  let opened: InputFile | null = null;
  try {
    opened = await storage.open(file.path);
    const { key, size } = await opened.status();
    if (key !== file.key) return null;
    if (content.length === 0 || size < content.length) return false;
    return (await checkBefore(opened, content.length)) === content.endCheck;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
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
