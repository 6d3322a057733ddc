import type { Json, Position } from 'sluice/api';
import { restOf, type Signature } from './signature.ts';

export type ArchiveFormat = 'gzip' | 'zstd';

/** What is wrong with a compressed file, at which byte of it. */
export interface ArchiveDamage {
  /** `truncated`: it ends too early. */
  readonly kind: 'truncated' | 'damaged';
  readonly at: number;
  /** From here on it is decompressed byte by byte, so that all before the fault comes out. */
  readonly carefulFrom?: number;
  readonly cause: string;
}

/** Of a compressed file: positions in it are those of what it holds. */
export interface ArchiveMark {
  /** `none`: a file that is read as it is, once and whole. */
  readonly format: ArchiveFormat | 'none';
  /** Its size, and the time of its last write, opaque: as long as they are these it holds the same. */
  readonly bytes: number;
  readonly modified: string;
  /** Of what it holds, or could be decompressed. */
  readonly length: number;
  /** Nothing is read that begins here or later. */
  readonly limit: number;
  readonly damage: ArchiveDamage | null;
  /** The damage is among the dead letters. */
  readonly isTold: boolean;
}

/** Content of a file that is gone. */
export interface Ancestor extends Signature {
  readonly path: string;
}

/** What is saved of a file, under its device and inode. */
export interface SavedPosition extends Signature {
  /** Where it was seen last; for people. */
  readonly path: string;
  readonly born: string | null;
  readonly isSkipping: boolean;
  readonly skipTo: number | null;
  /** The file has another name than the one it was written under, so its last line may be finished without a line feed. */
  readonly isRotated: boolean;
  /** Content that this file had before it was truncated: copies of it may turn up. */
  readonly former: readonly Signature[];
  /** What files held that had this inode before: compressed files that were made of them may turn up. */
  readonly ancestors?: readonly Ancestor[];
  readonly archive?: ArchiveMark | null;
}

/** The marker that a source which starts at the end has started; files that it did not see then are new. */
export const STARTED = 'started';

export function toPosition(saved: SavedPosition): Position {
  const { path, born, isRotated, former, ancestors = [], archive = null } = saved;
  return {
    path,
    ...signatureToJson(saved),
    ...(born === null ? {} : { born }),
    ...(isRotated ? { rotated: true } : {}),
    ...(former.length === 0 ? {} : { former: former.map(signatureToJson) }),
    ...(ancestors.length === 0 ? {} : { ancestors: ancestors.map(ancestorToJson) }),
    ...(archive === null ? {} : { archive: archiveToJson(archive) }),
  };
}

/** Null when it is none of ours. */
export function fromPosition(position: Position): SavedPosition | null {
  const signature = signatureFromJson(position);
  if (signature === null) return null;
  const { path, born, rotated, former, ancestors, archive } = position as Record<string, Json | undefined>;
  if (typeof path !== 'string') return null;
  return {
    ...signature,
    path,
    born: typeof born === 'string' ? born : null,
    isRotated: rotated === true,
    former: Array.isArray(former) ? former.map(signatureFromJson).filter((one) => one !== null) : [],
    ancestors: Array.isArray(ancestors) ? ancestors.map(ancestorFromJson).filter((one) => one !== null) : [],
    archive: archive === undefined ? null : archiveFromJson(archive),
  };
}

function signatureToJson(signature: Signature): Record<string, Json> {
  const { offset, head, check } = signature;
  const { isSkipping, skipTo } = restOf(signature);
  return {
    ...{ offset, head: head.toString('base64'), check },
    ...(isSkipping ? { skipping: true } : {}),
    ...(skipTo === null ? {} : { skip_to: skipTo }),
  };
}

function signatureFromJson(json: Json): Required<Signature> | null {
  if (typeof json !== 'object' || json === null) return null;
  const { offset, head, check, skipping, skip_to: skipTo } = json as Record<string, Json | undefined>;
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) return null;
  if (typeof head !== 'string' || typeof check !== 'string') return null;
  return {
    ...{ offset, head: Buffer.from(head, 'base64'), check },
    isSkipping: skipping === true,
    skipTo: typeof skipTo === 'number' && Number.isSafeInteger(skipTo) ? skipTo : null,
  };
}

function ancestorToJson({ path, ...signature }: Ancestor): Json {
  return { path, ...signatureToJson(signature) };
}

function ancestorFromJson(json: Json): Ancestor | null {
  const signature = signatureFromJson(json);
  if (signature === null) return null;
  const { path } = json as Record<string, Json | undefined>;
  return typeof path === 'string' ? { path, ...signature } : null;
}

function archiveToJson({ damage, isTold, ...mark }: ArchiveMark): Json {
  return { ...mark, ...(damage === null ? {} : { damage: { ...damage } }), ...(isTold ? { told: true } : {}) };
}

/** What is not understood says that the file was another one: it is looked through again. */
function archiveFromJson(json: Json): ArchiveMark {
  const { format, bytes, modified, length, limit, damage, told } = json as Record<string, Json | undefined>;
  return {
    format: format === 'zstd' || format === 'none' ? format : 'gzip',
    bytes: typeof bytes === 'number' ? bytes : -1,
    modified: typeof modified === 'string' ? modified : '',
    length: typeof length === 'number' ? length : 0,
    limit: typeof limit === 'number' ? limit : 0,
    damage: typeof damage === 'object' && damage !== null ? (damage as unknown as ArchiveDamage) : null,
    isTold: told === true,
  };
}
