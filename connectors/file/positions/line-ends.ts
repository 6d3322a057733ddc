import { readAt } from '../source/content.ts';
import type { InputFile } from '../source/storage.ts';

const LINE_FEED = 0x0a;
const BLOCK_BYTES = 64 * 1024;

export async function beginsLine(file: InputFile, offset: number): Promise<boolean> {
  if (offset === 0) return true;
  const [before] = await readAt(file, offset - 1, offset);
  return before === LINE_FEED;
}

/** Where the line begins that the byte at `offset` is of. */
export async function lineStart(file: InputFile, offset: number): Promise<number> {
  for (let end = offset; end > 0;) {
    const from = Math.max(0, end - BLOCK_BYTES);
    const at = (await readAt(file, from, end)).lastIndexOf(LINE_FEED);
    if (at >= 0) return from + at + 1;
    end = from;
  }
  return 0;
}
