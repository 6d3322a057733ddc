import { CHECK_BYTES, checkOf } from './signature.ts';
import type { InputFile } from './storage.ts';

/** So much is compared at the end of a file. */
const COMPARED_BYTES = 64 * 1024;
/** So much of each end of what was read is read once more. */
const PROBE_BYTES = 2048;
/** Compared at once. */
const zeros = Buffer.alloc(4096);

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

/**
 * Is what was read of a file, [0, `end`) of `bytes` that begin at byte `from` of it, what it holds? No file system promises to read as of one moment: beside a truncation and what is written
 * after it a read may give old bytes, new ones behind them, and zeros that nobody ever wrote.
 */
export function stillHolds(
  file: InputFile,
  { bytes, from, end }: { readonly bytes: Buffer; readonly from: number; readonly end: number },
): boolean {
  const first = Math.min(end, PROBE_BYTES);
  const last = Math.max(first, end - PROBE_BYTES);
  return file.holds(bytes, 0, first, from) && (last === end || file.holds(bytes, last, end, from + last));
}

/**
 * Where the first byte stands that is not zero; -1 for none. `bytes` hold the beginning of the file, up to index `end`, and are used to read on. Rejects with the
 * signal's reason, or with what reading rejects with.
 */
export async function behindZeros(
  file: InputFile,
  { bytes, end, signal }: { readonly bytes: Buffer; readonly end: number; readonly signal: AbortSignal },
): Promise<number> {
  let from = 0;
  for (let count = end; ;) {
    let index = 0;
    while (index < count && zeros.equals(bytes.subarray(index, index + zeros.length))) index += zeros.length;
    while (index < count && bytes[index] === 0) index++;
    if (index < count) return from + index;
    if (count < bytes.length) return -1;
    signal.throwIfAborted();
    from += count;
    count = await file.read(bytes, 0, bytes.length, from);
  }
}
