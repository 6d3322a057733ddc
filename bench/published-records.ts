import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const STATE_FOLDER = '.sluice-files';

/** How many records of topics that begin at offset 0 a file sink has published below `folder`, whatever their format: its newest manifests say up to where. */
export async function publishedRecords(folder: string): Promise<number> {
  const state = join(folder, STATE_FOLDER);
  const names = await readdir(state).catch(() => []);
  const newest = new Map<string, string>();
  for (const name of names.filter((each) => /\+\d+$/.test(each)).sort())
    newest.set(name.slice(0, name.lastIndexOf('+')), name);
  const manifests = await Promise.all([...newest.values()].map((name) => readFile(join(state, name), 'utf8')));
  return manifests.reduce((sum, text) => sum + (JSON.parse(text) as { readonly next: number }).next, 0);
}
