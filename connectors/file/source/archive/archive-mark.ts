import type { ArchiveFormat, ArchiveMark, SavedPosition } from '../position.ts';
import type { FileStatus } from '../storage.ts';
import type { Archive } from './archive-reader.ts';
import type { ArchiveContent } from './inspect.ts';

/** Where a compressed file begins to be read; `check` is of what is before `offset`. */
export function positionIn(
  { path, status, format }: { readonly path: string; readonly status: FileStatus; readonly format: ArchiveFormat },
  { head, length, recordEnd, damage }: ArchiveContent,
  offset: number,
  check: string,
): SavedPosition & { archive: ArchiveMark } {
  const limit = Math.max(offset, damage === null ? length : recordEnd);
  const { size: bytes, modified, born } = status;
  const archive = { format, bytes, modified: String(modified), length, limit, damage, isTold: false };
  return { path, offset, head, check, born, isSkipping: false, skipTo: null, isRotated: true, former: [], archive };
}

/** None of these is a file that is read as it is. */
export function formatOf({ format }: ArchiveMark): ArchiveFormat {
  return format === 'none' ? 'gzip' : format;
}

export function isUnchanged({ bytes, modified }: ArchiveMark, status: FileStatus): boolean {
  return bytes === status.size && modified === String(status.modified);
}

export function isDone({ offset, archive, isUnsaved }: Archive): boolean {
  return offset >= archive.limit && !isUnsaved && (archive.damage === null || archive.isTold);
}

export function identityOf({ key, born }: FileStatus): string {
  return `${key} ${born ?? ''}`;
}
