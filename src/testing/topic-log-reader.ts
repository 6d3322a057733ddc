import { equal, fail, ok } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { FetchedChunk, SealedBatch, SubscriptionEvent, TopicLog, TopicSubscription } from '../log/index.ts';
import { BufferPool, RecordView } from '../record/index.ts';
import { storedBatch } from './batches.ts';

export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

interface ReaderOptions {
  readonly sink: string;
  readonly topic: string;
  /** Default earliest. */
  readonly start?: 'earliest' | 'latest';
  /** Default 64 KiB. */
  readonly fetchBytes?: number;
  readonly pool?: BufferPool;
  /** Seek all partitions to where the sink stands. Default true. */
  readonly seeks?: boolean;
}

const DEADLINE_MS = 10_000;
/** How long nothing has to happen before it is believed. */
const QUIET_MS = 40;

/** A sink's end of a topic log, one step at a time. Whatever should come and does not, rejects after ten seconds. */
export class LogReader {
  readonly subscription: TopicSubscription;
  readonly pool: BufferPool;
  /** By partition. */
  readonly committed: number[] = [];
  readonly resets: number[] = [];
  readonly #view = new RecordView({ decode: (bytes) => bytes });
  readonly #putBack: SubscriptionEvent[] = [];

  constructor(subscription: TopicSubscription, pool: BufferPool) {
    this.subscription = subscription;
    this.pool = pool;
  }

  /** Subscribes and takes the assignment of all partitions. */
  static async open(log: TopicLog, options: ReaderOptions): Promise<LogReader> {
    const { sink, topic, start = 'earliest', fetchBytes = 65_536, seeks = true } = options;
    const pool = options.pool ?? new BufferPool({ budgetBytes: 1 << 20, bufferBytes: 65_536 });
    const subscription = await log.subscribe({ sink, topic, start, pool, fetchBytes });
    const reader = new LogReader(subscription, pool);
    const { partitions, incarnation } = log.describe(topic);
    while (reader.committed.filter((offset) => offset >= 0).length < partitions) {
      const event = await reader.event();
      ok(event.type === 'assigned', `assigned comes first, not ${event.type}`);
      for (const assignment of event.partitions) {
        equal(assignment.topic, topic);
        equal(assignment.incarnation, incarnation);
        reader.committed[assignment.partition] = assignment.committed;
        reader.resets[assignment.partition] = assignment.reset;
        if (seeks) subscription.seek(assignment.partition, assignment.committed);
      }
    }
    return reader;
  }

  async event(): Promise<SubscriptionEvent> {
    const early = this.#putBack.shift();
    if (early !== undefined) return early;
    const event = await this.subscription.next(AbortSignal.timeout(DEADLINE_MS));
    return event ?? fail('no event came');
  }

  /** It is the next one again. */
  putBack(event: SubscriptionEvent): void {
    this.#putBack.push(event);
  }

  /** The next chunk; the caller releases it. */
  async chunk(): Promise<FetchedChunk> {
    const event = await this.event();
    if (event.type !== 'chunk') return fail(`${event.type} instead of records`);
    return event.chunk;
  }

  /** Reads until there are `count` records, and holds that there are not more. */
  async read(count: number): Promise<ReadRecord[]> {
    const records: ReadRecord[] = [];
    while (records.length < count) records.push(...(await this.readChunk()));
    equal(records.length, count);
    return records;
  }

  /** The records of the next chunk, which is given back. */
  async readChunk(): Promise<ReadRecord[]> {
    return this.#take(await this.chunk());
  }

  async expectNothing(): Promise<void> {
    equal(this.#putBack.length, 0);
    const event = await this.subscription.next(AbortSignal.timeout(QUIET_MS));
    if (event !== null) fail(`${event.type} came, and nothing should`);
  }

  #take(chunk: FetchedChunk): ReadRecord[] {
    const view = this.#view;
    view.clear();
    view.addStored(chunk.partition, chunk.bytes, chunk.from);
    const { partition } = chunk.partition;
    const records = Array.from({ length: view.count }, (_, index) => ({
      partition,
      offset: view.offset(index),
      value: Buffer.from(view.value(index) ?? []).toString(),
    }));
    chunk.release();
    equal(records[0]?.offset, chunk.from);
    equal(records.at(-1)!.offset + 1, chunk.next);
    return records;
  }
}

export function batchOf(topic: string, partition: number, values: readonly string[]): SealedBatch {
  return { topic, partition, bytes: storedBatch(values.map((value) => ({ value }))), count: values.length };
}

export function valuesOf(records: readonly ReadRecord[], partition: number): string[] {
  return records.filter((record) => record.partition === partition).map(({ value }) => value);
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** Tries again while it is refused with one of these codes: the store recovers in its own time. */
export async function retried(
  act: () => Promise<void>,
  refusals: readonly string[] = ['LOG_IO', 'LOG_FULL'],
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      await act();
      return;
    } catch (error) {
      if (!refusals.includes(codeOf(error)) || performance.now() > deadline) throw error;
      await delay(10);
    }
  }
}

export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadline) fail('it did not happen in time');
    await delay(5);
  }
}
