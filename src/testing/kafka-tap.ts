import { deepStrictEqual, equal, fail, ok } from 'node:assert/strict';
import type { KafkaChunk, KafkaEvent, KafkaMember, KafkaReader } from '../kafka/index.ts';
import { RecordView } from '../record/index.ts';

export interface TappedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: readonly (readonly [name: string, value: string | null])[];
}

const DEADLINE_MS = 20_000;
/** How long nothing has to happen before it is believed. */
const QUIET_MS = 400;

export type EventOf<Type extends KafkaEvent['type']> = Extract<KafkaEvent, { type: Type }>;

/** One end of a reader or a member, one step at a time. Whatever should come and does not, fails after twenty seconds. */
export class KafkaTap<Reader extends KafkaReader = KafkaReader> {
  readonly reader: Reader;
  readonly #view = new RecordView({ decode: (bytes) => bytes });
  readonly #putBack: KafkaEvent[] = [];

  constructor(reader: Reader) {
    this.reader = reader;
  }

  async event(): Promise<KafkaEvent> {
    const early = this.#putBack.shift();
    if (early !== undefined) return early;
    const event = await this.reader.next(AbortSignal.timeout(DEADLINE_MS));
    return event ?? fail(`no event came; it waits for: ${this.reader.waitingFor ?? 'nothing'}`);
  }

  /** The next event, which has to be of this type. */
  async next<Type extends KafkaEvent['type']>(type: Type): Promise<EventOf<Type>> {
    const event = await this.event();
    if (event.type === 'chunk' && type !== 'chunk') event.chunk.release();
    equal(event.type, type);
    return event as EventOf<Type>;
  }

  async chunk(): Promise<KafkaChunk> {
    return (await this.next('chunk')).chunk;
  }

  /** Reads until there are `count` records, and holds that there are not more. */
  async read(count: number): Promise<TappedRecord[]> {
    const records: TappedRecord[] = [];
    while (records.length < count) records.push(...this.take(await this.chunk()));
    equal(records.length, count);
    return records;
  }

  async expectNothing(): Promise<void> {
    const event = await this.reader.next(AbortSignal.timeout(QUIET_MS));
    if (event === null) return;
    if (event.type === 'chunk') event.chunk.release();
    fail(`${event.type} came, and nothing should`);
  }

  /** The records of a chunk, which is given back. */
  take(chunk: KafkaChunk): TappedRecord[] {
    const view = this.#view;
    view.clear();
    view.addStored(chunk.partition, chunk.bytes, chunk.from);
    const records = Array.from({ length: view.count }, (_, index) => ({
      partition: chunk.partition.partition,
      offset: view.offset(index),
      key: textOf(view.key(index)),
      value: textOf(view.value(index)),
      timestamp: view.timestamp(index),
      headers: [...view.headers(index)].map(([name, value]) => [name, textOf(value)] as const),
    }));
    chunk.release();
    for (const { offset } of records) ok(offset >= chunk.from && offset < chunk.next);
    return records;
  }
}

/** What a group assigned, by topic and partition, with what it saved; all partitions are read from there on. */
export async function takeAssignment(
  tap: KafkaTap<KafkaMember>,
  options: { seeks?: boolean } = {},
): Promise<ReadonlyMap<string, number | null>> {
  const { partitions } = await tap.next('assigned');
  if (options.seeks !== false)
    for (const { topic, partition, committed } of partitions) tap.reader.seek(topic, partition, committed ?? 0);
  return new Map(partitions.map(({ topic, partition, committed }) => [`${topic}/${partition}`, committed]));
}

export function valuesOf(records: readonly TappedRecord[], partition = 0): (string | null)[] {
  return records.filter((record) => record.partition === partition).map(({ value }) => value);
}

export function offsetsOf(records: readonly TappedRecord[], partition = 0): number[] {
  return records.filter((record) => record.partition === partition).map(({ offset }) => offset);
}

export function sameOffsets(found: ReadonlyMap<number, number>, expected: readonly number[]): void {
  deepStrictEqual(
    [...found].sort(([left], [right]) => left - right),
    [...expected.entries()],
  );
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}
