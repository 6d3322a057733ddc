import { hash } from 'node:crypto';

/** The first bytes of a file, kept as they are: a copy may hold fewer of them. */
export const HEAD_BYTES = 512;
/** The bytes before a position that are compared before anything behind it is read. */
export const CHECK_BYTES = 256;
/** With fewer bytes in common, files that begin alike are no sign of a copy when the original is gone. */
export const MOVED_BYTES = 256;

/** How content is known again that was read up to `offset`. It grows with a file until the head is full. */
export interface Signature {
  readonly offset: number;
  /** At least the first min(`offset`, `HEAD_BYTES`) bytes. */
  readonly head: Buffer;
  /** `checkOf` the `CHECK_BYTES` before `offset`, or what there is. */
  readonly check: string;
  /** `offset` lies within a record that was too long: nothing is read before the next one. */
  readonly isSkipping?: boolean;
  /** Where the next one begins, if that is known. */
  readonly skipTo?: number | null;
}

/** What has to be passed over in a copy that is read from the same offset. */
export function restOf({ isSkipping = false, skipTo = null }: Signature): {
  isSkipping: boolean;
  skipTo: number | null;
} {
  return { isSkipping, skipTo };
}

export function checkOf(bytes: Buffer, start: number, end: number): string {
  return start === end ? '' : hash('sha1', bytes.subarray(start, end), 'base64url');
}

export function beginAlike(one: Buffer, other: Buffer): boolean {
  const length = Math.min(one.length, other.length);
  return length > 0 && one.compare(other, 0, length, 0, length) === 0;
}

const magics: readonly (readonly [format: string, bytes: Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['bzip2', Buffer.from('BZh91AY', 'latin1')],
];

/** So few bytes that they may become those of a compressed file. */
export function mayBecomeCompressed(head: Buffer): boolean {
  return magics.some(([, magic]) => head.length < magic.length && magic.subarray(0, head.length).equals(head));
}

/** The name of the compression that a file begins like; null for none. */
export function compressionOf(head: Buffer): string | null {
  return magics.find(([, magic]) => head.subarray(0, magic.length).equals(magic))?.[0] ?? null;
}
