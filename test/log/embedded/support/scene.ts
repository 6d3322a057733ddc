import type { Position } from '../../../../src/api/index.ts';
import type { LogLimits, PipelineLogPlan, TopicLog } from '../../../../src/log/index.ts';
import type { DiskOperation, FaultyDisk } from '../../../../src/testing/index.ts';
import { batchOf, LogReader } from '../../../../src/testing/topic-log-reader.ts';
import { Life } from './life.ts';
import { readValues } from './model.ts';

/** A life of one pipeline, in the words of a test. */
export class Scene {
  readonly life: Life;
  readonly log: TopicLog;
  readonly plan: PipelineLogPlan;

  constructor(life: Life, log: TopicLog, plan: PipelineLogPlan) {
    this.life = life;
    this.log = log;
    this.plan = plan;
  }

  /** Of the first of the pipelines. */
  static async begin(
    disk: FaultyDisk,
    plans: readonly [PipelineLogPlan, ...PipelineLogPlan[]],
    limits?: Partial<LogLimits>,
  ): Promise<Scene> {
    const life = await Life.begin(disk, plans, limits);
    return new Scene(life, await life.log(plans[0].pipeline), plans[0]);
  }

  /** Commits records of partition 0, and the last of them as the source's position. */
  put(...values: readonly string[]): Promise<void> {
    return this.putAt(0, ...values);
  }

  putAt(partition: number, ...values: readonly string[]): Promise<void> {
    const position = values.at(-1) ?? null;
    return this.log.commit({
      batches: [batchOf(this.plan.topic.name, partition, values)],
      positions: [['source', `${partition}`, position]],
    });
  }

  async values(partition = 0, topic = this.plan.topic.name): Promise<string[]> {
    return readValues(await this.life.view(), topic, partition);
  }

  async position(partition = 0): Promise<Position | undefined> {
    return (await this.log.positions('source')).get(`${partition}`);
  }

  /** As a sink that takes everything: saves the ends. */
  async drain(sink = 'sink'): Promise<void> {
    const reader = await LogReader.open(this.log, { sink, topic: this.plan.topic.name });
    const ends = await reader.subscription.ends();
    await reader.subscription.commit(ends.map((next, partition) => ({ partition, next })));
    await reader.subscription.close();
  }

  /** What is there is all of the values so far and goes on; the position is that of the last. */
  async expectWhole(values: readonly string[]): Promise<void> {
    expect(await this.values()).toEqual(values);
    expect(await this.position()).toBe(values.at(-1));
    await this.put('more');
    expect(await this.values()).toEqual([...values, 'more']);
  }

  end(): Promise<void> {
    return this.life.end();
  }
}

export const isJournal = (path: string): boolean => path.endsWith('.journal');
export const isSegment = (path: string): boolean => path.endsWith('.log');

/** The process ends in the midst of the first operation that fits; true in `hit` when there was one. */
export function endAtFirst(disk: FaultyDisk, fits: (operation: DiskOperation) => boolean): { hit: boolean } {
  const window = { hit: false };
  disk.onOperation = (operation) => {
    if (window.hit || !fits(operation)) return undefined;
    window.hit = true;
    return 'gone';
  };
  return window;
}

/** The bytes of all files that hold anything of the log: nothing was cut when they are the same. */
export function contents(disk: FaultyDisk, folder: string): Map<string, string> {
  return new Map([...disk.files(folder)].map(([path, bytes]) => [path, bytes.toString('latin1')]));
}

/** One byte becomes another. */
export function damage(disk: FaultyDisk, path: string, at: number): void {
  const bytes = disk.contentOf(path);
  bytes[at < 0 ? bytes.length + at : at]! ^= 0x55;
  disk.replace(path, bytes);
}

/** Seeds for the chance of a crash. */
export const chances = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** The paths that fit, in order. */
export function pathsOf(disk: FaultyDisk, fits: (path: string) => boolean): string[] {
  return [...disk.files().keys()].filter(fits).sort();
}
