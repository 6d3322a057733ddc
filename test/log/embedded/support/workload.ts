import { codeOf, LogReader } from '../../../../src/testing/topic-log-reader.ts';
import { BufferPool } from '../../../../src/record/index.ts';
import type { PipelineLogPlan, TopicLog } from '../../../../src/log/index.ts';
import type { Life } from './life.ts';
import type { LogModel, ModelRequest } from './model.ts';

export type Step =
  | { readonly type: 'commit'; readonly request: ModelRequest }
  /** Waits for everything that was asked. */
  | { readonly type: 'settle' }
  /** The sink reads what is acknowledged and saves where it is. */
  | { readonly type: 'read'; readonly sink: string }
  /** Time for retention. */
  | { readonly type: 'rest'; readonly ms: number }
  /** The pipeline starts again within the same hub. */
  | { readonly type: 'restart' };

/** A run, the same one for the same numbers. Values are unique by `life`. */
export function randomSteps(
  plan: PipelineLogPlan,
  random: () => number,
  options: { life: number; steps: number },
): Step[] {
  const { life, steps } = options;
  let number = 0;
  const some = (count: number): number => Math.floor(random() * count);
  const values = (): string[] =>
    Array.from({ length: 1 + some(3) }, () => `${life}.${number++}${'v'.repeat(random() < 0.1 ? 400 : some(60))}`);
  const request = (): ModelRequest => {
    const batches = Array.from({ length: some(4) }, () => {
      const isDead = plan.deadLetter !== null && random() < 0.1;
      const topic = isDead ? plan.deadLetter.topic : plan.topic.name;
      return { topic, partition: isDead ? 0 : some(plan.topic.partitions), values: values() };
    });
    const hasPosition = random() < 0.6 || batches.length === 0;
    return {
      batches,
      positions: hasPosition
        ? [['source', `file${some(3)}`, random() < 0.1 ? null : { at: number++, name: 'ö"\\\u0000' }]]
        : [],
      dedupe: random() < 0.2 ? [{ source: 'source', id: `id${number}`, atMs: life * 1000 + number++ }] : [],
    };
  };
  return Array.from({ length: steps }, (): Step => {
    const kind = random();
    if (kind < 0.6) return { type: 'commit', request: request() };
    if (kind < 0.75) return { type: 'settle' };
    if (kind < 0.92) return { type: 'read', sink: plan.sinks[some(plan.sinks.length)]!.name };
    return kind < 0.97 ? { type: 'rest', ms: 60_000 } : { type: 'restart' };
  });
}

/** Does the steps against a log and its model. Rejects only when the log does something wrong, or its process is gone. */
export async function run(life: Life, plan: PipelineLogPlan, steps: readonly Step[], model: LogModel): Promise<void> {
  const { gone } = life.mount;
  let log = await life.log(plan.pipeline);
  let waiting: Promise<void>[] = [];
  const readers = new Map<string, SinkReader>();
  const settle = async (): Promise<void> => {
    await Promise.all(waiting);
    waiting = [];
  };
  for (const step of steps) {
    if (step.type === 'commit') waiting.push(model.commit(log, step.request, gone));
    else if (step.type === 'settle') await settle();
    else if (step.type === 'rest') await life.clock.advance(step.ms);
    else if (step.type === 'read') {
      const reader = readers.get(step.sink) ?? (await SinkReader.open(log, plan, step.sink).catch(unlessRefused));
      if (reader === null) continue;
      readers.set(step.sink, reader);
      await reader.read(model, gone);
    } else {
      await log.close();
      await settle();
      readers.clear();
      await life.folder.recover([plan.pipeline]);
      log = await life.log(plan.pipeline);
    }
  }
  await settle();
}

class SinkReader {
  readonly #reader: LogReader;
  readonly #plan: PipelineLogPlan;
  readonly #sink: string;
  readonly #next: number[];
  /** The marks as last seen: they never go down. */
  readonly #ends: number[];

  constructor(reader: LogReader, plan: PipelineLogPlan, sink: string) {
    this.#reader = reader;
    this.#plan = plan;
    this.#sink = sink;
    this.#next = [...reader.committed];
    this.#ends = this.#next.map(() => 0);
  }

  static async open(log: TopicLog, plan: PipelineLogPlan, sink: string): Promise<SinkReader> {
    const pool = new BufferPool({ budgetBytes: 8192, bufferBytes: 1024 });
    const reader = await LogReader.open(log, { sink, topic: plan.topic.name, fetchBytes: 1024, pool });
    return new SinkReader(reader, plan, sink);
  }

  /** At least up to what is acknowledged now; holds that it is the model's, and saves the offsets. */
  async read(model: LogModel, gone: AbortSignal): Promise<void> {
    const { name: topic, partitions } = this.#plan.topic;
    const isBehind = (partition: number): boolean =>
      this.#next[partition]! < model.acknowledged(topic, partition).length;
    const numbers = Array.from({ length: partitions }, (_, partition) => partition);
    const seen = numbers.map((): string[] => []);
    const from = [...this.#next];
    while (numbers.some(isBehind)) {
      for (const { partition, offset, value } of await this.#reader.readChunk()) {
        expect(offset).toBe(this.#next[partition]);
        seen[partition]!.push(value);
        this.#next[partition] = offset + 1;
      }
    }
    for (const partition of numbers) {
      const end = this.#reader.subscription.end(partition);
      expect(end).toBeGreaterThanOrEqual(Math.max(this.#ends[partition]!, this.#next[partition]!));
      this.#ends[partition] = end;
      const known = model.acknowledged(topic, partition).slice(from[partition]);
      const common = Math.min(known.length, seen[partition]!.length);
      expect(seen[partition]!.slice(0, common)).toEqual(known.slice(0, common));
      if (this.#next[partition] === from[partition]) continue;
      const at = { sink: this.#sink, topic, partition, next: this.#next[partition]! };
      const save = (): Promise<void> => this.#reader.subscription.commit([{ partition, next: at.next }]);
      await model.saveOffset(save, at, gone).catch(unlessRefused);
    }
  }
}

/** What a disk that fails may do to any call. */
function unlessRefused(error: unknown): null {
  if (['LOG_IO', 'LOG_FULL'].includes(codeOf(error))) return null;
  throw error;
}
