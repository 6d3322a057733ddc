import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  openDataFolder,
  openEmbeddedLog,
  readDataFolder,
  type DataFolder,
  type DataFolderView,
  type EmbeddedLogState,
  type LogLimits,
  type PipelineLogPlan,
  type TopicLog,
} from '../../../../src/log/index.ts';
import { createEntryLogger, type LogEntry } from '../../../../src/telemetry/index.ts';
import { ManualClock, type FaultyDisk, type MountedDisk } from '../../../../src/testing/index.ts';
import { noMetrics } from '../../../../src/testing/sink-harness.ts';

export const DATA_DIR = '/hub/data';

/** So small that a few records roll segments and journals. */
export const SMALL: LogLimits = { segmentBytes: 600, indexIntervalBytes: 100, journalBytes: 700 };

type PlanWishes = Partial<Omit<PipelineLogPlan, 'pipeline' | 'topic' | 'sinks'>> & {
  readonly topic?: Partial<PipelineLogPlan['topic']>;
  readonly sinks?: readonly string[];
};

/** Writes the topic of its own name, three partitions, with one source and one sink. */
export function planOf(pipeline: string, { topic = {}, sinks = ['sink'], ...more }: PlanWishes = {}): PipelineLogPlan {
  const name = topic.name ?? pipeline;
  return {
    pipeline,
    topic: {
      name,
      partitions: 3,
      retentionMs: 7 * 24 * 3600 * 1000,
      retentionBytes: 1e9,
      ...topic,
    },
    writesTopic: true,
    deadLetter: { topic: `${pipeline}.dead`, maxBytes: 1e9 },
    sources: ['source'],
    sinks: sinks.map((sink) => ({ name: sink, topic: name })),
    ...more,
  };
}

/** One process that holds the data folder of a disk in memory: from its start to its stop, or to its end by a fault. */
export class Life {
  readonly mount: MountedDisk;
  readonly clock: ManualClock;
  readonly entries: LogEntry[];
  readonly folder: DataFolder;
  readonly state: EmbeddedLogState;
  readonly #logs: TopicLog[] = [];
  readonly #passing: { isOver: boolean };

  constructor(parts: {
    mount: MountedDisk;
    clock: ManualClock;
    entries: LogEntry[];
    folder: DataFolder;
    state: EmbeddedLogState;
    passing: { isOver: boolean };
  }) {
    this.mount = parts.mount;
    this.clock = parts.clock;
    this.entries = parts.entries;
    this.folder = parts.folder;
    this.state = parts.state;
    this.#passing = parts.passing;
  }

  static async begin(
    disk: FaultyDisk,
    plans: readonly PipelineLogPlan[],
    limits: Partial<LogLimits> = SMALL,
  ): Promise<Life> {
    const mount = disk.mount();
    const clock = new ManualClock();
    const entries: LogEntry[] = [];
    const passing = passTime(clock, mount.gone);
    const folder = await openDataFolder({
      dataDir: DATA_DIR,
      hubId: 'hub',
      clock,
      log: createEntryLogger({ level: 'debug', clock, write: (entry) => entries.push(entry) }),
      fileSystem: mount,
      lock: () => Promise.resolve({ release: () => Promise.resolve() }),
      limits,
    });
    const state = await folder.prepare(plans);
    return new Life({ mount, clock, entries, folder, state, passing });
  }

  async log(pipeline: string): Promise<TopicLog> {
    const { clock, entries, mount, state } = this;
    const log = await openEmbeddedLog({
      state,
      pipeline,
      clock,
      log: createEntryLogger({ level: 'debug', clock, write: (entry) => entries.push(entry) }),
      metrics: noMetrics,
      fileSystem: mount,
    });
    this.#logs.push(log);
    return log;
  }

  view(): Promise<DataFolderView> {
    return readDataFolder({ dataDir: DATA_DIR, fileSystem: this.mount });
  }

  /** As a hub that drains. */
  async end(): Promise<void> {
    await Promise.all(this.#logs.map((log) => log.close()));
    await this.folder.close();
    this.#passing.isOver = true;
  }
}

/** Back-offs end: time goes on as fast as the machine allows, until the process is over. */
function passTime(clock: ManualClock, gone: AbortSignal): { isOver: boolean } {
  const passing = { isOver: false };
  void (async () => {
    while (!passing.isOver && !gone.aborted) {
      await clock.advance(5);
      await nextTurn();
    }
  })();
  return passing;
}

/** What happened first: the result, or the end of the process. A rejection that its end caused counts as that. */
export async function orGone<Result>(mount: MountedDisk, work: Promise<Result>): Promise<Result | 'gone'> {
  const gone = new Promise<'gone'>((resolve) => {
    if (mount.gone.aborted) resolve('gone');
    mount.gone.addEventListener('abort', () => {
      resolve('gone');
    });
  });
  try {
    return await Promise.race([work, gone]);
  } catch (error) {
    if (mount.gone.aborted) return 'gone';
    throw error;
  }
}
