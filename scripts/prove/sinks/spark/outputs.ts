import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A record as the example jobs write it with `--format json --text`. */
interface SparkRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key?: string;
  readonly value?: string;
}

export interface Outputs {
  /** Ids of the batches that are published. */
  readonly batches: readonly string[];
  readonly records: readonly SparkRecord[];
  /** Folders that jobs left behind. */
  readonly leftovers: readonly string[];
}

/** What the example jobs have published below a folder. */
export async function readOutputs(folder: string): Promise<Outputs> {
  const names = await readdir(folder).catch(() => []);
  const batches = names.filter((name) => name.startsWith('batch='));
  const records: SparkRecord[] = [];
  for (const batch of batches) records.push(...(await readLines(join(folder, batch))));
  return {
    batches: batches.map((name) => name.slice('batch='.length)),
    records,
    leftovers: names.filter((name) => name.endsWith('.tmp')),
  };
}

/** What jobs have written into one folder. */
export async function readLines(folder: string): Promise<SparkRecord[]> {
  const files = (await readdir(folder)).filter((name) => name.startsWith('part-'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.flatMap((text) => text.split('\n').slice(0, -1)).map((line) => JSON.parse(line) as SparkRecord);
}
