import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { loadHub, type LoadedHub, type LoadHubOptions, type PipelinePlan } from '../../../src/config/index.ts';
import { createRegistry } from '../../../src/registry/index.ts';

const folders: string[] = [];

export async function removeFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}

export interface TestFolder {
  readonly path: string;
  load(options?: Partial<LoadHubOptions>): Promise<LoadedHub>;
  /** `pipelines/a.yaml:3:5 CONFIG_X message`, one a problem. */
  problems(options?: Partial<LoadHubOptions>): Promise<string[]>;
}

/** A folder with these files. */
export async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  folders.push(path);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  const load = (options: Partial<LoadHubOptions> = {}): Promise<LoadedHub> =>
    loadHub({ pipelines: [], cwd: path, env: {}, registry: createRegistry(), ...options });
  return {
    path,
    load,
    problems: async (options) => {
      const { plan, problems } = await load(options);
      // A plan exists exactly when nothing is an error.
      expect(plan === null).toBe(problems.some(({ severity }) => severity === 'error'));
      return problems.map(
        ({ file, line, column, code, message }) =>
          `${relative(path, file)}:${line}:${column} ${code} ${message.replaceAll(path, '<folder>')}`,
      );
    },
  };
}

/** The problems of a pipeline alone in its hub, without the file: `3:5 CONFIG_X message`. */
export async function problemsOf(pipeline: string | Uint8Array, options?: Partial<LoadHubOptions>): Promise<string[]> {
  const folder = await folderOf({ 'pipelines/a.yaml': pipeline });
  const problems = await folder.problems(options);
  return problems.map((problem) => problem.replace('pipelines/a.yaml:', ''));
}

/** The plan of a pipeline that is right. */
export async function planOf(pipeline: string): Promise<PipelinePlan> {
  const folder = await folderOf({ 'pipelines/a.yaml': pipeline });
  const { plan, problems } = await folder.load();
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return plan!.pipelines[0]!;
}
