import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { HubPlan, PipelinePlan } from '../../../src/config/plan.ts';
import {
  createSupervisor,
  type HubStatus,
  type SupervisedPipeline,
  type Supervisor,
} from '../../../src/supervisor/index.ts';
import { createEntryLogger, MetricsRegistry, realClock, type LogEntry } from '../../../src/telemetry/index.ts';

export function pipelinePlan(name: string, more: Partial<PipelinePlan> = {}): PipelinePlan {
  return {
    name,
    file: '/pipelines/x.yaml',
    isolation: 'shared',
    topic: {
      name,
      partitions: 1,
      replicationFactor: null,
      config: {},
      compression: 'none',
      retentionMs: 1e9,
      retentionBytes: 1e9,
      maxRecordBytes: 1e6,
    },
    sources: [],
    sinks: [],
    deadLetter: { topic: `${name}.dead`, maxBytes: 1e9, maxRate: null },
    configHash: '0'.repeat(12),
    ...more,
  };
}

export interface TestHub {
  readonly supervisor: Supervisor;
  readonly entries: LogEntry[];
  readonly metrics: MetricsRegistry;
  /** Each call of `recover`. */
  readonly recovered: string[][];
  readonly dataDir: string;
  printed: string;
  pipeline(name: string): SupervisedPipeline;
  /** How often a worker opened it. */
  starts(name: string): number;
  until(what: string, condition: (status: HubStatus) => boolean, deadlineMs?: number): Promise<HubStatus>;
}

interface Wanted {
  readonly pipelines: readonly (string | PipelinePlan)[];
  readonly plan?: Partial<HubPlan>;
  readonly once?: boolean;
  readonly recover?: (pipeline: string) => void;
  readonly prepare?: () => Promise<never>;
}

const leftovers: (() => Promise<void>)[] = [];

/** Ends what the tests of a file left running. */
export async function endHubs(): Promise<void> {
  for (const leave of leftovers.splice(0)) await leave();
}

/** A hub of fake pipelines in real threads. */
export async function createTestHub({ pipelines, plan, once = false, recover, prepare }: Wanted): Promise<TestHub> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-supervisor-'));
  const entries: LogEntry[] = [];
  const recovered: string[][] = [];
  const metrics = new MetricsRegistry();
  const hub: HubPlan = {
    file: null,
    kafka: null,
    dataDir,
    group: 'default',
    host: null,
    api: null,
    workers: 2,
    bufferBytes: 1000,
    listenerBytes: Infinity,
    workerMemoryBytes: 96 * 1024 * 1024,
    watchdogMs: 2000,
    drainMs: 2000,
    references: { env: [], file: [] },
    outbound: { deny: [], allow: [] },
    pipelines: pipelines.map((pipeline) => (typeof pipeline === 'string' ? pipelinePlan(pipeline) : pipeline)),
    ...plan,
  };
  const supervisor = createSupervisor({
    plan: hub,
    dataFolder: {
      hubId: 'hub-1',
      prepare: prepare ?? (() => Promise.resolve({} as never)),
      recover: (names) => {
        recovered.push([...names]);
        for (const name of names) recover?.(name);
        return Promise.resolve();
      },
    },
    workerUrl: pathToFileURL(join(import.meta.dirname, 'fake-worker.ts')),
    clock: realClock,
    log: createEntryLogger({ level: 'debug', clock: realClock, write: (entry) => entries.push(entry) }),
    logLevel: 'debug',
    metrics,
    once,
    print: (_stream, text) => {
      result.printed += Buffer.from(text).toString();
    },
    random: () => 1,
  });
  const result: TestHub = {
    supervisor,
    entries,
    metrics,
    recovered,
    dataDir,
    printed: '',
    pipeline: (name) => supervisor.status().pipelines.find((pipeline) => pipeline.name === name)!,
    starts: (name) => readFileSync(join(dataDir, `${name}.starts`), 'utf8').length,
    until: (what, condition, deadlineMs = 15_000) => until(what, supervisor, condition, deadlineMs),
  };
  leftovers.push(async () => {
    supervisor.force();
    await rm(dataDir, { recursive: true, force: true });
  });
  return result;
}

async function until(
  what: string,
  supervisor: Supervisor,
  condition: (status: HubStatus) => boolean,
  deadlineMs: number,
): Promise<HubStatus> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const status = supervisor.status();
    if (condition(status)) return status;
    if (performance.now() > deadline) throw new Error(`${what} did not happen: ${JSON.stringify(status, null, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
