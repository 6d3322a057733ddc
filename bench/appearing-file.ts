import { link, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Place } from './contestants.ts';

export interface AppearingFile {
  /** Where it will be, in a folder of its own. */
  readonly file: string;
  readonly appear: () => Promise<void>;
}

/** The input of a run: another name of the cached file, which appears by a rename. */
export async function appearingFile({
  bench,
  folder,
  records,
}: Pick<Place, 'bench' | 'folder' | 'records'>): Promise<AppearingFile> {
  const { file: cached } = await bench.lines(records);
  const hidden = join(folder, 'hidden.log');
  const input = join(folder, 'in');
  await mkdir(input);
  await link(cached, hidden);
  const file = join(input, 'access.log');
  return { file, appear: () => rename(hidden, file) };
}
