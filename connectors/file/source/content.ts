import { CHECK_BYTES, checkOf } from './signature.ts';
import type { InputFile } from './storage.ts';

/** So much is compared at the end of a file. */
const COMPARED_BYTES = 64 * 1024;

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
