import { CHECK_BYTES, checkOf } from './signature.ts';
import type { InputFile } from './storage.ts';

/** So much is compared, or searched for a line feed, at the end of a file. */
const COMPARED_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/** Reads the bytes [from, to); fewer when the file is shorter. */
export async function readAt(file: InputFile, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(to - from);
  return bytes.subarray(0, await file.read(bytes, 0, bytes.length, from));
}

/** `checkOf` the bytes before `offset`. */
export async function checkBefore(file: InputFile, offset: number): Promise<string> {
  const bytes = await readAt(file, offset - Math.min(CHECK_BYTES, offset), offset);
  return checkOf(bytes, 0, bytes.length);
}

/** Is what `part` holds at its end the same as `whole` holds there? */
export async function holdsSame(part: InputFile, size: number, whole: InputFile): Promise<boolean> {
  const from = Math.max(0, size - COMPARED_BYTES);
  const [one, other] = await Promise.all([readAt(part, from, size), readAt(whole, from, size)]);
  return one.length === size - from && one.equals(other);
}

/** Behind the last line feed, so that the line which is being written is read whole; far from one, behind the next. */
export async function endOfLines(
  file: InputFile,
  size: number,
): Promise<[offset: number, more: { readonly isSkipping?: true }]> {
  const from = Math.max(0, size - COMPARED_BYTES);
  const behindFeed = (await readAt(file, from, size)).lastIndexOf(LINE_FEED) + 1;
  return behindFeed === 0 && from > 0 ? [size, { isSkipping: true }] : [from + behindFeed, {}];
}
