import { SluiceError } from 'sluice/api';

/** How far another program has read a file. */
export interface ForeignRecord {
  /** As it was called when it was read last; null where the program does not say. */
  readonly path: string | null;
  /** Null where it is known by its path or its first bytes. */
  readonly inode: string | null;
  /** What the device's number may be as Node gives it; null where the program does not say. */
  readonly device: readonly string[] | null;
  /** SHA-256 of the first so many bytes. */
  readonly fingerprint: { readonly hex: string; readonly bytes: number } | null;
  /** Bytes. */
  readonly offset: number;
  /** Why it says nothing of use; null for a good one. */
  readonly skipped: string | null;
}

export type ReadRecords = (path: string) => Promise<readonly ForeignRecord[]>;

/** Throws `OPTION_INVALID` when the offset is none. */
export function record(
  fields: Partial<Omit<ForeignRecord, 'offset'>> & { readonly offset: unknown },
  where: string,
): ForeignRecord {
  const { offset } = fields;
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0)
    throw unreadable(where, 'it has no offset');
  return { path: null, inode: null, device: null, fingerprint: null, skipped: null, ...fields, offset };
}

/** `where` is a place in the file: "line 3". */
export function unreadable(where: string, why: string): SluiceError {
  return new SluiceError('OPTION_INVALID', `reading positions, ${where}: ${why}`);
}

export function linesOf(text: string): { readonly text: string; readonly where: string }[] {
  return text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [{ text: line, where: `line ${index + 1}` }]));
}
