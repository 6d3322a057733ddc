import { glob, stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import type { HubDraft } from './load-hub-file.ts';
import { nameOf } from './load-pipeline.ts';
import { ProblemList } from './problems.ts';
import { didYouMean } from './suggest.ts';
import { readYamlFile, type YamlFile } from './yaml-file.ts';

/** So many pipelines are more than a hub is made for; a pattern that finds more is a slip. */
const MAX_FILES = 1000;

/**
 * The files to run: all of the hub, or the wanted ones, each the name of one of its pipelines or a file, which may lie anywhere.
 * Of the hub's other files nothing but the name is looked at then.
 */
export async function findPipelines(
  hub: HubDraft,
  wanted: readonly string[],
  { cwd, problems }: { cwd: string; problems: ProblemList },
): Promise<readonly YamlFile[]> {
  if (wanted.length === 0) return readAll(await hubFiles(hub, problems), problems);
  const files = new Map<string, YamlFile>();
  const names: string[] = [];
  for (const each of wanted) {
    if (!(await isFile(resolve(cwd, each)))) names.push(each);
    else for (const file of await readAll([resolve(cwd, each)], problems)) files.set(file.file, file);
  }
  if (names.length > 0) for (const file of await named(hub, names, { cwd, problems })) files.set(file.file, file);
  return [...files.values()];
}

async function named(
  hub: HubDraft,
  names: readonly string[],
  { cwd, problems }: { cwd: string; problems: ProblemList },
): Promise<YamlFile[]> {
  const unread = new ProblemList();
  const all = await readAll(await hubFiles(hub, problems), unread);
  const known = all.map(({ value }) => nameOf(value)).filter((name) => name !== null);
  for (const name of names) {
    if (known.includes(name)) continue;
    const about = didYouMean(name, known) || (known.length === 0 ? '' : `; there are ${known.join(', ')}`);
    const message = `there is no pipeline and no file ${JSON.stringify(name)}${about}`;
    const at = { file: hub.file?.file ?? resolve(cwd, name), line: 1, column: 1 };
    problems.push({ ...at, code: 'CONFIG_NO_PIPELINE', message, severity: 'error' });
    // It may be the name in a file that could not be read.
    for (const problem of unread.sorted()) problems.push(problem);
  }
  return all.filter(({ value }) => names.includes(nameOf(value) ?? ''));
}

/** Sorted by path, so that two runs are alike. */
async function hubFiles({ file, baseDir, patterns }: HubDraft, problems: ProblemList): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const [index, pattern] of patterns.entries()) {
    const found = await matching(pattern, baseDir);
    for (const path of found) files.add(path);
    // Without a hub file nobody asked for the default pattern.
    if (found.length > 0 || file === null) continue;
    const message = `no file matches ${JSON.stringify(pattern)} in ${baseDir}`;
    const severity = /[*?[{]/.test(pattern) ? 'warning' : 'error';
    problems.add(file, ['pipelines', index], { code: 'CONFIG_NO_PIPELINE', message, severity });
  }
  return [...files].sort();
}

async function matching(pattern: string, baseDir: string): Promise<string[]> {
  const found: string[] = [];
  if (await isFile(resolve(baseDir, pattern))) return [resolve(baseDir, pattern)];
  for await (const path of glob(pattern, { cwd: baseDir })) {
    const absolute = isAbsolute(path) ? path : resolve(baseDir, path);
    if (await isFile(absolute)) found.push(absolute);
    if (found.length >= MAX_FILES) break;
  }
  return found;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function readAll(paths: readonly string[], problems: ProblemList): Promise<YamlFile[]> {
  const files = await Promise.all(paths.map((path) => readYamlFile(path, problems)));
  return files.filter((file) => file !== null);
}
