import type { Headers, TopicPartition } from '../api/index.ts';
import type { SavedView } from '../log/index.ts';
import { RecordView } from '../record/index.ts';

const SUFFIX = '.dead';

/** A record that was refused, as it lies in a dead-letter topic. */
export interface StoredDeadLetter {
  /** The refused record's id; for input that never became a record, where its dead letter lies. */
  readonly id: string;
  readonly pipeline: string;
  /** The leg's name, and its connector's. */
  readonly leg: string;
  readonly connector: string;
  readonly stage: string;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  /** Milliseconds since the epoch; NaN when its headers do not tell. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** The topic it was read from or meant for. */
  readonly topic: string;
  /** Where it stood in a source's input, as the source words it. */
  readonly sourcePosition: string | null;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** The dead-letter topic did not take all of it: key, value and headers are only where it stood. */
  readonly isReference: boolean;
  /** The record's own, in milliseconds since the epoch. */
  readonly timestamp: number;
  /** Where the dead letter itself lies. */
  readonly stored: { readonly topic: string; readonly partition: number; readonly offset: number };
}

/** The dead-letter topics of a data folder or a cluster, and the pipelines that write them. `configured` tells those with names of their own. */
export function deadLetterTopics(
  view: Pick<SavedView, 'topics'>,
  configured: ReadonlyMap<string, string>,
): readonly { readonly pipeline: string; readonly topic: string }[] {
  const own = new Map([...configured].map(([pipeline, topic]) => [topic, pipeline]));
  return view.topics.flatMap(({ name, owner }) => {
    const pipeline = own.get(name) ?? (name.endsWith(SUFFIX) && owner !== '' ? owner : undefined);
    return pipeline === undefined ? [] : [{ pipeline, topic: name }];
  });
}

/**
 * All dead letters of a topic, partition by partition, one for each record that was refused: what a crash wrote again is left out. Key and value are
 * copies of their own. Throws `TOPIC_UNKNOWN`, `RECORD_CORRUPT` or `LOG_IO`.
 */
export async function* readDeadLetters(
  view: Pick<SavedView, 'topics' | 'read'>,
  topic: string,
): AsyncGenerator<StoredDeadLetter> {
  const partitions = view.topics.find(({ name }) => name === topic)?.partitions ?? 1;
  const incarnation = view.topics.find(({ name }) => name === topic)?.incarnation ?? '';
  const records = new RecordView({ decode: (bytes) => bytes });
  for (let partition = 0; partition < partitions; partition++) {
    // The partition of a dead letter follows from that of its record, so repeats lie in the same one.
    const seen = new Set<string>();
    for await (const chunk of view.read(topic, partition)) {
      records.clear();
      records.addStored({ topic, partition, incarnation }, chunk, 0);
      for (let index = 0; index < records.count; index++) {
        const letter = parse(records, index, { topic, partition, incarnation });
        if (seen.has(letter.id)) continue;
        seen.add(letter.id);
        yield letter;
      }
    }
  }
}

function parse(records: RecordView, index: number, at: TopicPartition): StoredDeadLetter {
  const header = headerReader(records.headers(index));
  const topic = header('__connect.errors.topic');
  const original = [
    topic,
    header('sluice.errors.incarnation'),
    header('__connect.errors.partition'),
    header('__connect.errors.offset'),
  ];
  const position = header('sluice.errors.source_position');
  return {
    id: original.includes('') ? records.id(index) : original.join('+'),
    pipeline: header('sluice.errors.pipeline'),
    leg: header('__connect.errors.connector.name'),
    connector: header('__connect.errors.class.name'),
    stage: header('__connect.errors.stage'),
    code: header('sluice.errors.code'),
    message: header('__connect.errors.exception.message'),
    attempts: Number(header('sluice.errors.attempts')),
    firstAt: Date.parse(header('sluice.errors.first_at')),
    lastAt: Date.parse(header('sluice.errors.last_at')),
    topic,
    sourcePosition: position === '' ? null : position,
    key: copyOf(records.key(index)),
    value: copyOf(records.value(index)),
    isReference: header('sluice.errors.by_ref') === 'true',
    timestamp: records.timestamp(index),
    stored: { topic: at.topic, partition: at.partition, offset: records.offset(index) },
  };
}

/** '' for a header that is not there. */
function headerReader(headers: Headers): (name: string) => string {
  const texts = new Map<string, string>();
  for (const [name, value] of headers) texts.set(name, value === null ? '' : Buffer.from(value).toString());
  return (name) => texts.get(name) ?? '';
}

function copyOf(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : Uint8Array.from(bytes);
}
