import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Feed } from './feed.ts';
import { recordOf } from './numbered-records.ts';

const FILES = 4;
const AT_ONCE = 500;

/** Files that the hub itself reads into its embedded log. */
export async function fileFeed(hubFolder: string): Promise<Feed> {
  const folder = join(hubFolder, 'in');
  await mkdir(folder, { recursive: true });
  let written = 0;
  return {
    sources: "sources:\n  - file: { include: ['in/*.log'] }\n",
    settings: [],
    async growTo(end) {
      while (written < end) {
        const [first, count] = [written, Math.min(AT_ONCE, end - written)];
        const lines = Array.from({ length: count }, (_each, at) => `${recordOf(first + at)}\n`);
        await appendFile(join(folder, `${Math.floor(first / AT_ONCE) % FILES}.log`), lines.join(''));
        written += count;
      }
    },
    life: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  };
}
