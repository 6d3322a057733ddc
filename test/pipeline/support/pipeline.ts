import {
  SluiceError,
  Type,
  type JobSinkDefinition,
  type RecordBatch,
  type Sink,
  type SinkContext,
  type SinkDefinition,
  type Source,
  type SourceContext,
  type SourceDefinition,
  type WriteResult,
} from '../../../src/api/index.ts';
import type { PipelinePlan, SinkPlan, SourcePlan } from '../../../src/config/plan.ts';
import type { TopicLog } from '../../../src/log/index.ts';
import { startPipeline, type PipelineEvent, type RunningPipeline } from '../../../src/pipeline/index.ts';
import type { Registry } from '../../../src/registry/index.ts';
import type { MetricsRecorder } from '../../../src/telemetry/index.ts';
import { FastClock } from './clock.ts';

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: object;
}

const options = Type.Object({}, { additionalProperties: false });
const about = { summary: 'A connector of a test.', stability: 'experimental' as const, options, examples: [] };

export function sourceOf(
  run: (context: SourceContext) => Promise<void>,
  traits: Partial<Pick<SourceDefinition, 'rewinds' | 'ends' | 'dedupe'>> = {},
): SourceDefinition {
  const create = (): Promise<Source> => Promise.resolve({ run });
  return { kind: 'source', name: 'test', ...about, rewinds: true, placement: 'host', ends: true, ...traits, create };
}

export function sinkOf(
  write: (batch: RecordBatch, context: SinkContext) => WriteResult | Promise<WriteResult>,
  traits: { order?: 'none' | 'partition'; more?: (context: SinkContext) => Partial<Sink> } = {},
): SinkDefinition {
  return {
    kind: 'sink',
    name: 'test',
    ...about,
    order: traits.order ?? 'partition',
    promise: 'at-least-once',
    create: (_options, context) =>
      Promise.resolve({
        write: async (batch) => write(batch, context),
        close: () => Promise.resolve(),
        ...traits.more?.(context),
      }),
  };
}

export function values(batch: RecordBatch): string[] {
  return Array.from({ length: batch.count }, (_, index) => Buffer.from(batch.value(index) ?? '').toString());
}

export const accepted: WriteResult = { failures: [] };

export function refusal(retryable = false): SluiceError {
  return new SluiceError('SINK_REJECTED', 'writing a record: it is poison', { retryable });
}

export interface TestPipeline {
  readonly log: TopicLog;
  readonly sources?: readonly SourceDefinition[];
  readonly sinks?: readonly (SinkDefinition | JobSinkDefinition)[];
  readonly source?: Partial<SourcePlan>;
  readonly sink?: Partial<SinkPlan>;
  readonly deadLetter?: Partial<PipelinePlan['deadLetter']>;
  readonly topic?: Partial<PipelinePlan['topic']>;
  readonly once?: boolean;
  readonly bufferBytes?: number;
  readonly clock?: FastClock;
}

export interface Started {
  readonly pipeline: RunningPipeline;
  readonly lines: LogLine[];
  readonly events: PipelineEvent[];
  readonly clock: FastClock;
}

/** Starts a pipeline of topic `in` and dead letters `dead`, unless `topic` and `deadLetter` name others, with these connectors, named source0, sink0 and so on. */
export function startTest(test: TestPipeline): Started {
  const { sources = [], sinks = [], clock = new FastClock(10) } = test;
  const lines: LogLine[] = [];
  const events: PipelineEvent[] = [];
  const plan: PipelinePlan = {
    name: 'test',
    file: '/test/test.yaml',
    isolation: 'shared',
    topic: {
      name: 'in',
      partitions: test.log.describe(test.topic?.name ?? 'in').partitions,
      replicationFactor: null,
      config: {},
      compression: 'none',
      retentionMs: 1e9,
      retentionBytes: 1e9,
      maxRecordBytes: 100_000,
      ...test.topic,
    },
    sources: sources.map((_, index) => ({
      ...leg('source', index),
      key: null,
      partitionBy: 'source',
      delivery: 'at_least_once',
      placement: 'host',
      rewinds: true,
      ...test.source,
    })),
    sinks: sinks.map((_, index) => ({
      ...leg('sink', index),
      where: null,
      takes: sinks[index]!.takes ?? 'records',
      start: 'earliest',
      batch: { maxRecords: 1000, maxBytes: 1_000_000, maxAgeMs: 0 },
      retry: { minMs: 5, maxMs: 20 },
      ...test.sink,
    })),
    deadLetter: { topic: 'dead', maxBytes: 1e9, maxRate: { records: 1000, share: 0.1 }, ...test.deadLetter },
    configHash: '0123456789ab',
  };
  const pipeline = startPipeline({
    plan,
    group: 'default',
    hubId: 'hub',
    registry: registryOf(sources, sinks),
    references: { env: [], file: [] },
    outbound: { deny: [], allow: [] },
    env: {},
    topicLog: test.log,
    bufferBytes: test.bufferBytes ?? 16 * 1024 * 1024,
    clock,
    log: recordingLog(lines),
    metrics: silentMetrics,
    once: test.once ?? false,
    onEvent: (event) => events.push(event),
  });
  return { pipeline, lines, events, clock };
}

export async function eventually(holds: () => boolean, timeoutMs = 5000): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error(`waited ${timeoutMs} ms in vain for ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function leg(
  kind: string,
  index: number,
): { name: string; connector: string; options: Record<string, never>; decode: 'json' } {
  return { name: `${kind}${index}`, connector: `${kind}${index}`, options: {}, decode: 'json' };
}

function registryOf(
  sources: readonly SourceDefinition[],
  sinks: readonly (SinkDefinition | JobSinkDefinition)[],
): Registry {
  return {
    find: (kind, name) => {
      const index = Number(name.replace(kind, ''));
      return Promise.resolve((kind === 'source' ? sources[index] : sinks[index]) ?? null);
    },
    names: () => Promise.resolve([]),
    all: () => Promise.resolve([]),
  };
}

function recordingLog(lines: LogLine[]): Parameters<typeof startPipeline>[0]['log'] {
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields });
  };
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  return log;
}

const silentMetrics = {
  count: () => undefined,
  gauge: () => undefined,
  bind: () => silentMetrics,
  drain: () => ({}),
} as unknown as MetricsRecorder;
