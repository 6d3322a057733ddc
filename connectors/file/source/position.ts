import type { Json, Position } from 'sluice/api';
import type { Signature } from './signature.ts';

/** What is saved of a file, under its device and inode. */
export interface SavedPosition extends Signature {
  /** Where it was seen last; for people. */
  readonly path: string;
  readonly born: string | null;
  /** `offset` lies within a line that was refused for its length: nothing of it is read before the next line feed. */
  readonly isSkipping: boolean;
  /** The file has another name than the one it was written under, so its last line may be finished without a line feed. */
  readonly isRotated: boolean;
  /** Content that this file had before it was truncated: copies of it may turn up. */
  readonly former: readonly Signature[];
}

/** The marker that a source which starts at the end has started; files that it did not see then are new. */
export const STARTED = 'started';

export function toPosition(saved: SavedPosition): Position {
  const { path, born, isSkipping, isRotated, former } = saved;
  return {
    path,
    ...signatureToJson(saved),
    ...(born === null ? {} : { born }),
    ...(isSkipping ? { skipping: true } : {}),
    ...(isRotated ? { rotated: true } : {}),
    ...(former.length === 0 ? {} : { former: former.map(signatureToJson) }),
  };
}

/** Null when it is none of ours. */
export function fromPosition(position: Position): SavedPosition | null {
  const signature = signatureFromJson(position);
  if (signature === null) return null;
  const { path, born, skipping, rotated, former } = position as Record<string, Json | undefined>;
  if (typeof path !== 'string') return null;
  return {
    ...signature,
    path,
    born: typeof born === 'string' ? born : null,
    isSkipping: skipping === true,
    isRotated: rotated === true,
    former: Array.isArray(former) ? former.map(signatureFromJson).filter((one) => one !== null) : [],
  };
}

function signatureToJson({ offset, head, check }: Signature): { offset: number; head: string; check: string } {
  return { offset, head: head.toString('base64'), check };
}

function signatureFromJson(json: Json): Signature | null {
  if (typeof json !== 'object' || json === null) return null;
  const { offset, head, check } = json as Record<string, Json | undefined>;
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) return null;
  if (typeof head !== 'string' || typeof check !== 'string') return null;
  return { offset, head: Buffer.from(head, 'base64'), check };
}
