import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../src/testing/free-ports.ts';
import { cacheFolder } from './folders.ts';
import { builtPackage } from './package.ts';
import type { Program } from './process.ts';
import type { Daemon } from './system.ts';

interface HubTask {
  readonly folder: string;
  readonly brokers?: string;
}

export interface HubOptions<Task> {
  /** `sluice` unless a path compares several pipelines. */
  readonly name?: string;
  /** Topics live in the cluster of the task; otherwise in the data folder. */
  readonly onKafka: boolean;
  /** One pipeline, as users write it, without its name: each run has another one, and so another consumer group. */
  readonly pipeline: (task: Task) => string;
}

/** The hub from the built package, with one pipeline. */
export function sluice<Task extends HubTask>(options: HubOptions<Task>): Daemon<Task> {
  const ports = new Map<string, number>();
  return {
    kind: 'daemon',
    name: options.name ?? 'sluice',
    missing: () => Promise.resolve(null),
    async prepare(task) {
      const [port] = (await freePorts(1)) as [number];
      ports.set(task.folder, port);
      await writeHubFile(task, port, options.onKafka);
      const name = `bench-${randomBytes(4).toString('hex')}`;
      await writeFile(join(task.folder, 'pipeline.yaml'), `name: ${name}\n${options.pipeline(task)}`);
      return hubProgram(task.folder);
    },
    ready: ({ folder }, running) => running.until(() => answersReady(ports.get(folder)!), 'the hub to be ready'),
  };
}

async function writeHubFile({ folder, brokers }: HubTask, port: number, onKafka: boolean): Promise<void> {
  const lines = [
    'data_dir: data',
    "pipelines: ['pipeline.yaml']",
    `api: { listen: '127.0.0.1:${port}' }`,
    ...(onKafka ? [`kafka: { brokers: ['${brokers!}'] }`] : []),
  ];
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'sluice.yaml'), `${lines.join('\n')}\n`);
}

/** `sluice run` in a folder, as after an installation: the built package with its compile cache. */
export async function hubProgram(folder: string): Promise<Program> {
  const entry = join(await builtPackage(), 'dist', 'src', 'cli', 'main.js');
  return {
    command: process.execPath,
    parameters: [entry, 'run'],
    cwd: folder,
    environment: { NODE_COMPILE_CACHE: join(cacheFolder(), 'compile-cache') },
  };
}

export async function answersReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/ready`, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
