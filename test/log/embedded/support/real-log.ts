import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  openDataFolder,
  openEmbeddedLog,
  type DataFolder,
  type EmbeddedLogState,
  type LogLimits,
  type PipelineLogPlan,
  type TopicLog,
} from '../../../../src/log/index.ts';
import { createEntryLogger, realClock, type LogEntry } from '../../../../src/telemetry/index.ts';
import { noMetrics } from '../../../../src/testing/sink-harness.ts';

/** A data folder on the machine's own files, and what was opened of it. */
export class RealLog {
  readonly dataDir: string;
  readonly entries: LogEntry[] = [];
  readonly #leftovers: (() => Promise<unknown>)[] = [];

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  static async create(): Promise<RealLog> {
    return new RealLog(await mkdtemp(join(tmpdir(), 'sluice-log-')));
  }

  async folder(limits: Partial<LogLimits> = {}): Promise<DataFolder> {
    const { dataDir } = this;
    const folder = await openDataFolder({ dataDir, hubId: null, clock: realClock, log: this.#logger(), limits });
    this.#leftovers.push(() => folder.close());
    return folder;
  }

  async open(state: EmbeddedLogState, pipeline: string): Promise<TopicLog> {
    const log = await openEmbeddedLog({
      state,
      pipeline,
      clock: realClock,
      log: this.#logger(),
      metrics: noMetrics,
    });
    this.#leftovers.push(() => log.close());
    return log;
  }

  /** Folder and log of a first pipeline in one. */
  async start(plans: readonly PipelineLogPlan[], limits?: Partial<LogLimits>): Promise<TopicLog> {
    const folder = await this.folder(limits);
    return this.open(await folder.prepare(plans), plans[0]!.pipeline);
  }

  /** Closes what is open, in the reverse order; the files stay. */
  async stop(): Promise<void> {
    for (const leave of this.#leftovers.splice(0).reverse()) await leave();
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  #logger() {
    return createEntryLogger({ level: 'debug', clock: realClock, write: (entry) => this.entries.push(entry) });
  }
}
