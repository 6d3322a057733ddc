import { join } from 'node:path';
import { arrival } from './arrival.ts';
import { RunningProgram, type Usage } from './process.ts';
import type { Watch } from './path.ts';
import { runTool } from './run-tool.ts';
import { settled } from './settled.ts';
import type { Measurement, Stage } from './stage.ts';
import type { Daemon, System, Tool } from './system.ts';

/** Makes the stage of a run; the one with an empty input shows the start-up. */
export type OpenStage<Task> = (isEmpty: boolean) => Promise<Stage<Task>>;

/** One run of a system. */
export async function measure<Task extends { readonly folder: string }>(
  system: System<Task>,
  open: OpenStage<Task>,
  watch: Watch,
): Promise<Measurement> {
  const stage = await open(false);
  try {
    if (system.kind === 'tool') return await measureTool(system, stage, open);
    return stage.feed === null
      ? await measureFilled(system, stage, open, watch)
      : await measureFed(system, stage, stage.feed, watch);
  } finally {
    await stage.close();
  }
}

/** A daemon whose input appears when it is ready. */
async function measureFed<Task extends { readonly folder: string }>(
  system: Daemon<Task>,
  stage: Stage<Task>,
  feed: () => Promise<void>,
  watch: Watch,
): Promise<Measurement> {
  const running = await started(system, stage.task);
  try {
    await settled(running);
    const startup = await running.usage();
    await watch.begin(running);
    await feed();
    const seconds = await whileAlive(running, stage);
    const usage = await running.usage();
    await watch.end(running);
    return measurement(stage, seconds, usage, startup.cpuSeconds);
  } finally {
    await running.stop();
  }
}

/** A daemon whose input is there: what it uses to start is taken from a start on an empty one. */
async function measureFilled<Task extends { readonly folder: string }>(
  system: Daemon<Task>,
  stage: Stage<Task>,
  open: OpenStage<Task>,
  watch: Watch,
): Promise<Measurement> {
  const startup = await onEmpty(open, async (empty) => {
    const running = await started(system, empty.task);
    try {
      await settled(running);
      return (await running.usage()).cpuSeconds;
    } finally {
      await running.stop();
    }
  });
  const running = await RunningProgram.start(await system.prepare(stage.task), join(stage.task.folder, 'log.txt'));
  try {
    await watch.begin(running);
    const seconds = await whileAlive(running, stage);
    const usage = await running.usage();
    await watch.end(running);
    return measurement(stage, seconds, usage, startup);
  } finally {
    await running.stop();
  }
}

async function measureTool<Task extends { readonly folder: string }>(
  system: Tool<Task>,
  stage: Stage<Task>,
  open: OpenStage<Task>,
): Promise<Measurement> {
  const startup = await onEmpty(open, async ({ task, feed }) => {
    await feed?.();
    return (await runTool(await system.prepare(task), task.folder)).cpuSeconds;
  });
  await stage.feed?.();
  const stop = new AbortController();
  const arriving = arrival(stage, stop.signal);
  // Told by the await below; until then nobody listens to it.
  arriving.catch(() => undefined);
  try {
    const usage = await runTool(await system.prepare(stage.task), stage.task.folder);
    return measurement(stage, await arriving, usage, startup);
  } finally {
    stop.abort();
  }
}

async function onEmpty<Task, Result>(
  open: OpenStage<Task>,
  use: (stage: Stage<Task>) => Promise<Result>,
): Promise<Result> {
  const stage = await open(true);
  try {
    return await use(stage);
  } finally {
    await stage.close();
  }
}

async function started<Task extends { readonly folder: string }>(
  system: Daemon<Task>,
  task: Task,
): Promise<RunningProgram> {
  const running = await RunningProgram.start(await system.prepare(task), join(task.folder, 'log.txt'));
  try {
    await system.ready(task, running);
    return running;
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function whileAlive(running: RunningProgram, stage: Stage<unknown>): Promise<number> {
  const over = new AbortController();
  const died = running.ended.then(async (code) => {
    if (!over.signal.aborted)
      throw new Error(
        `the program ended by itself with ${code ?? 'a signal'}:\n${(await running.output()).slice(-2000)}`,
      );
    return 0;
  });
  try {
    return await Promise.race([arrival(stage, over.signal), died]);
  } finally {
    over.abort();
  }
}

function measurement({ records }: Stage<unknown>, seconds: number, usage: Usage, startup: number): Measurement {
  return {
    recordsPerSecond: records / seconds,
    cpuSecondsPerMillion: ((usage.cpuSeconds - startup) / records) * 1e6,
    startupCpuSeconds: startup,
    peakRssMegabytes: usage.peakRssMegabytes,
  };
}
