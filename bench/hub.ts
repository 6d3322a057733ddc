import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../src/testing/free-ports.ts';
import { cacheFolder } from './folders.ts';
import { builtPackage } from './package.ts';
import { type Program, RunningProgram } from './process.ts';
import { settled } from './settled.ts';
import type { Daemon } from './system.ts';

interface HubTask {
  readonly folder: string;
  readonly brokers?: string;
  readonly topic?: string;
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
      const { folder } = task;
      const kafka = options.onKafka ? { brokers: task.brokers!, topic: task.topic! } : null;
      ports.set(folder, await writeHub({ folder, kafka, pipelines: [options.pipeline(task)] }));
      return hubProgram(folder);
    },
    ready: ({ folder }, running) => running.until(() => answersReady(ports.get(folder)!), 'the hub to be ready'),
  };
}

interface HubFolder {
  readonly folder: string;
  /** Where topics live; null for the data folder. What the hub makes there gets names that begin with the topic's. */
  readonly kafka: { readonly brokers: string; readonly topic: string } | null;
  /** Without their names. */
  readonly pipelines: readonly string[];
  /** Further lines of the hub file. */
  readonly settings?: readonly string[];
}

/** Writes a hub file and its pipelines; the port where the hub will say whether it is ready. */
async function writeHub({ folder, kafka, pipelines, settings = [] }: HubFolder): Promise<number> {
  const [port] = (await freePorts(1)) as [number];
  const lines = [
    'data_dir: data',
    `api: { listen: '127.0.0.1:${port}' }`,
    ...(kafka === null ? [] : [`kafka: { brokers: ['${kafka.brokers}'] }`]),
    ...settings,
  ];
  await mkdir(join(folder, 'pipelines'), { recursive: true });
  await writeFile(join(folder, 'sluice.yaml'), `${lines.join('\n')}\n`);
  const [topic] = (kafka?.topic ?? 'bench').split('.');
  const run = `${topic!}-${randomBytes(4).toString('hex')}`;
  for (const [index, pipeline] of pipelines.entries())
    await writeFile(join(folder, 'pipelines', `${index}.yaml`), `name: ${run}-${index}\n${pipeline}`);
  return port;
}

/** A hub of a path of its own kind, started and ready. */
export async function startHub(hub: HubFolder): Promise<RunningProgram> {
  const port = await writeHub(hub);
  const running = await RunningProgram.start(await hubProgram(hub.folder), join(hub.folder, 'log.txt'));
  try {
    await running.until(() => answersReady(port), 'the hub to be ready', 300_000);
    await settled(running);
    return running;
  } catch (error) {
    await running.stop();
    throw error;
  }
}

let further: Pick<Program, 'parameters' | 'environment'> = { parameters: [] };

/** What node is given besides, for profiles. */
export function useNodeOptions(options: Pick<Program, 'parameters' | 'environment'>): void {
  further = options;
}

/** `sluice run` in a folder, as after an installation: the built package with its compile cache. */
async function hubProgram(folder: string): Promise<Program> {
  const entry = join(await builtPackage(), 'dist', 'src', 'cli', 'main.js');
  return {
    command: process.execPath,
    parameters: [...further.parameters, entry, 'run'],
    cwd: folder,
    environment: { NODE_COMPILE_CACHE: join(cacheFolder(), 'compile-cache'), ...further.environment },
  };
}

async function answersReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/ready`, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
