import type { TopicPartition } from '../api/index.ts';
import { parkingTopic, type SavedView } from '../log/index.ts';
import { RecordView } from '../record/index.ts';
import { storedDeadLetter, storedDeadLetterId, type StoredDeadLetter } from './stored-dead-letter.ts';

const SUFFIX = '.dead';

/** Where the dead letters of a pipeline are. */
export interface DeadLetterTopics {
  readonly pipeline: string;
  readonly topic: string;
  /** Null while none was parked. */
  readonly parked: string | null;
}

export type TopicReader = Pick<SavedView, 'topics' | 'read'>;

/** By topic and partition: offsets to read from (this one too) and to (without it). Unset: what is there. */
export interface LetterRange {
  readonly from?: OffsetsByPlace;
  readonly to?: OffsetsByPlace;
}

export type OffsetsByPlace = ReadonlyMap<string, number>;

interface ReadRange {
  readonly from?: OffsetsByPlace;
  /** Only this one. */
  readonly partition?: number;
}

export function placeKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/** The dead-letter topics of a data folder or a cluster. `configured` tells those with names of their own. */
export function deadLetterTopics(
  { topics }: Pick<SavedView, 'topics'>,
  configured: ReadonlyMap<string, string>,
): readonly DeadLetterTopics[] {
  const own = new Map([...configured].map(([pipeline, topic]) => [topic, pipeline]));
  return topics.flatMap(({ name, owner }) => {
    const pipeline = own.get(name) ?? (name.endsWith(SUFFIX) && owner !== '' ? owner : undefined);
    if (pipeline === undefined) return [];
    const parked = topics.find((topic) => topic.name === parkingTopic(pipeline))?.name ?? null;
    return [{ pipeline, topic: name, parked }];
  });
}

/**
 * Which dead letters there are: one for each record that was refused, its newest. What a crash wrote again, earlier refusals of what was replayed, and what
 * was parked meanwhile stand for nothing any more. Finding out takes memory for
 * the id of each.
 */
export class DeadLetterIndex {
  readonly #view: TopicReader;
  readonly #topics: DeadLetterTopics;
  readonly #range: LetterRange;
  readonly #parked = new Set<string>();
  /** By topic, of ids that were met more than once: where the newest lies. */
  readonly #newest = new Map<string, Map<string, string>>();

  private constructor(view: TopicReader, topics: DeadLetterTopics, range: LetterRange) {
    this.#view = view;
    this.#topics = topics;
    this.#range = range;
  }

  /** Throws `TOPIC_UNKNOWN`, `RECORD_CORRUPT` or `LOG_IO`. */
  static async read(view: TopicReader, topics: DeadLetterTopics, range: LetterRange = {}): Promise<DeadLetterIndex> {
    const index = new DeadLetterIndex(view, topics, range);
    if (topics.parked !== null) await index.#learn(topics.parked, index.#parked);
    await index.#learn(topics.topic, new Set());
    return index;
  }

  /** Is it the one that stands for its record? */
  stands({ id, stored, isParked }: Pick<StoredDeadLetter, 'id' | 'stored' | 'isParked'>): boolean {
    if (!isParked && this.#parked.has(id)) return false;
    const newest = this.#newest.get(stored.topic)?.get(id);
    return newest === undefined || newest === `${placeKey(stored.topic, stored.partition)}@${stored.offset}`;
  }

  /** Those that stand, topic by topic and partition by partition. `from`: in place of the index's own. */
  async *letters(from = this.#range.from): AsyncGenerator<StoredDeadLetter> {
    for await (const letter of this.all(from)) if (this.stands(letter)) yield letter;
  }

  /** Those that stand in one partition. */
  async *lettersOf(topic: string, partition: number): AsyncGenerator<StoredDeadLetter> {
    for await (const letter of this.#lettersIn(topic, { partition })) if (this.stands(letter)) yield letter;
  }

  /** All that are stored. */
  async *all(from = this.#range.from): AsyncGenerator<StoredDeadLetter> {
    const { parked, topic } = this.#topics;
    for (const name of parked === null ? [topic] : [parked, topic])
      yield* this.#lettersIn(name, from === undefined ? {} : { from });
  }

  async *#lettersIn(topic: string, range: ReadRange): AsyncGenerator<StoredDeadLetter> {
    const isParked = topic === this.#topics.parked;
    for await (const { records, partition, count } of this.#read(topic, range))
      for (let index = 0; index < count; index++) yield storedDeadLetter(records, index, { partition, isParked });
  }

  async #learn(topic: string, seen: Set<string>): Promise<void> {
    const newest = new Map<string, string>();
    this.#newest.set(topic, newest);
    for await (const { records, partition, count } of this.#read(topic))
      for (let index = 0; index < count; index++) {
        const id = storedDeadLetterId(records, index);
        if (seen.has(id)) newest.set(id, `${placeKey(topic, partition.partition)}@${records.offset(index)}`);
        else seen.add(id);
      }
  }

  async *#read(
    topic: string,
    { from: starts, partition: only }: ReadRange = {},
  ): AsyncGenerator<{ readonly records: RecordView; readonly partition: TopicPartition; readonly count: number }> {
    const known = this.#view.topics.find(({ name }) => name === topic);
    const records = new RecordView({ decode: (bytes) => bytes });
    for (let number = 0; number < (known?.partitions ?? 1); number++) {
      if (only !== undefined && number !== only) continue;
      const partition = { topic, partition: number, incarnation: known?.incarnation ?? '' };
      const place = placeKey(topic, number);
      const from = Math.max(starts?.get(place) ?? 0, known?.starts[number] ?? 0);
      const to = Math.min(this.#range.to?.get(place) ?? Infinity, known?.ends[number] ?? Infinity);
      if (from >= to) continue;
      for await (const chunk of this.#view.read(topic, number, { from, to })) {
        records.clear();
        records.addStored(partition, chunk, from);
        let { count } = records;
        // The last batch may go on behind the end.
        while (count > 0 && records.offset(count - 1) >= to) count--;
        yield { records, partition, count };
      }
    }
  }
}
