import type {
  Clock,
  Logger,
  Metrics,
  OutboundRules,
  RecordFailure,
  Sink,
  SinkContext,
  TopicPartition,
  WriteResult,
} from '../api/index.ts';
import { recordBatch, type TestRecord } from './batches.ts';
import { ManualClock } from './manual-clock.ts';

export interface SinkHarnessOptions {
  /** Called for each life of the sink. */
  readonly create: (context: SinkContext) => Promise<Sink> | Sink;
  /** Default 1. */
  readonly partitions?: number;
  /** Default `lines`. */
  readonly topic?: string;
  /** Default `AAAAAAAA`. */
  readonly incarnation?: string;
  readonly hubId?: string;
  /** Default: everything is allowed. */
  readonly outbound?: OutboundRules;
  readonly clock?: Clock;
  readonly decode?: (bytes: Uint8Array) => unknown;
}

export function createSinkHarness(options: SinkHarnessOptions): SinkHarness {
  return new SinkHarness(options);
}

/** A refused record, as the engine would put it among the dead letters. */
export interface RefusedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly failure: RecordFailure;
}

/**
 * Drives a sink as a pipeline does: a life begins with `assigned`, writes go on from where that says, a flush moves the saved offsets, a kill forgets
 * everything that was not flushed. Records are appended to partitions of a topic that lives in memory.
 */
export class SinkHarness {
  readonly clock: Clock;
  /** The records of the topic, by partition. */
  readonly topic: TestRecord[][];
  /** The saved offset of each partition; null before the first. */
  readonly committed: (number | null)[];
  readonly refused: RefusedRecord[] = [];
  /** Partitions whose flush the sink has asked for, and not got. */
  readonly requested = new Set<number>();
  status = '';
  /** What it said last by `waiting`. */
  waitsFor: string | null = null;
  reset = 0;
  readonly #options: SinkHarnessOptions;
  readonly #read: number[];
  #sink: Sink | null = null;
  #life = new AbortController();

  constructor(options: SinkHarnessOptions) {
    this.#options = options;
    this.clock = options.clock ?? new ManualClock();
    const count = options.partitions ?? 1;
    this.topic = Array.from({ length: count }, () => []);
    this.committed = Array.from({ length: count }, () => null);
    this.#read = Array.from({ length: count }, () => 0);
  }

  get sink(): Sink {
    if (this.#sink === null) throw new Error('the sink does not live');
    return this.#sink;
  }

  append(partition: number, records: readonly (TestRecord | string)[]): void {
    this.topic[partition]!.push(...records.map((record) => (typeof record === 'string' ? { value: record } : record)));
  }

  /** Begins a life: creates the sink and assigns it all partitions, or the given ones. */
  async start(partitions: readonly number[] = [...this.topic.keys()]): Promise<void> {
    this.#life = new AbortController();
    this.requested.clear();
    this.#sink = await this.#options.create(this.#context());
    await this.assign(partitions);
  }

  async assign(partitions: readonly number[]): Promise<void> {
    const assigned = partitions.map((partition) => ({
      ...this.partition(partition),
      committed: this.committed[partition] ?? null,
      reset: this.reset,
    }));
    const wanted = (await this.sink.assigned?.(assigned)) ?? [];
    for (const { partition, committed } of assigned) {
      const next = wanted.find((one) => one.partition === partition)?.next ?? committed ?? 0;
      this.#read[partition] = next;
    }
  }

  /** One attempt at the next records of each given partition, in one batch; null when there are none. After a batch failure they come again. */
  async write(
    options: { readonly partitions?: readonly number[]; readonly maxRecords?: number } = {},
  ): Promise<WriteResult | null> {
    const { partitions = [...this.topic.keys()], maxRecords = Infinity } = options;
    const runs = partitions.flatMap((partition) => {
      const base = this.#read[partition]!;
      const records = this.topic[partition]!.slice(base, base + maxRecords);
      return records.length === 0 ? [] : [{ partition: this.partition(partition), base, records }];
    });
    if (runs.length === 0) return null;
    const batch = recordBatch(runs, this.#options.decode);
    const result = await this.sink.write(batch);
    if ('batch' in result) return result;
    for (const { partition, base, records } of runs) this.#read[partition.partition] = base + records.length;
    for (const failure of result.failures) {
      const run = batch.runs.find(({ first, count }) => failure.index >= first && failure.index < first + count)!;
      this.refused.push({ partition: run.partition, offset: batch.offset(failure.index), failure });
    }
    return result;
  }

  /** Flushes the given partitions (all by default) and saves their offsets. */
  async flush(partitions: readonly number[] = [...this.topic.keys()]): Promise<void> {
    const targets = partitions.map((partition) => ({ ...this.partition(partition), next: this.#read[partition]! }));
    for (const partition of partitions) this.requested.delete(partition);
    await this.sink.flush?.(targets);
    for (const { partition, next } of targets) this.committed[partition] = next;
  }

  /** Flushes what the sink has asked for. */
  async flushRequested(): Promise<void> {
    if (this.requested.size > 0) await this.flush([...this.requested]);
  }

  async revoke(partitions: readonly number[]): Promise<void> {
    await this.sink.revoked?.(partitions.map((partition) => this.partition(partition)));
  }

  /** Everything is flushed and saved, then the sink is closed. */
  async stop(): Promise<void> {
    await this.flush();
    await this.sink.close();
    this.#life.abort();
    this.#sink = null;
  }

  /** As SIGKILL: no call reaches the sink any more, and what was not saved is forgotten. */
  kill(): void {
    this.#life.abort();
    this.#sink = null;
  }

  partition(partition: number): TopicPartition {
    const { topic = 'lines', incarnation = 'AAAAAAAA' } = this.#options;
    return { topic, partition, incarnation };
  }

  #context(): SinkContext {
    return {
      pipeline: 'test',
      name: 'sink',
      hubId: this.#options.hubId ?? 'hub',
      log: silentLogger,
      metrics: noMetrics,
      clock: this.clock,
      signal: this.#life.signal,
      outbound: this.#options.outbound ?? { deny: [], allow: [] },
      group: 'default',
      waiting: (reason) => {
        this.waitsFor = reason;
      },
      requestFlush: (partitions) => {
        for (const { partition } of partitions) this.requested.add(partition);
      },
      report: (status) => {
        this.status = status;
      },
    };
  }
}

const ignore = (): void => undefined;

const silentLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLogger,
};

export const noMetrics: Metrics = { count: ignore, gauge: ignore };
