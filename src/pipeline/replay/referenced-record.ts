import { RecordView } from '../../record/index.ts';
import { digestOf } from '../dead-letter.ts';
import type { TopicReader } from '../dead-letter-reader.ts';
import type { StoredDeadLetter } from '../stored-dead-letter.ts';
import type { ReplayRecord } from './replay-record.ts';

/** What a letter refers to; null when it is not there any more, or not the same. Throws `RECORD_CORRUPT` or `LOG_IO`. */
export async function referencedRecord(
  { origin, reference }: StoredDeadLetter,
  view: TopicReader,
): Promise<Pick<ReplayRecord, 'key' | 'value' | 'headers'> | null> {
  if (origin === null || reference === null) return null;
  const { offset, ...partition } = origin;
  const topic = view.topics.find(({ name }) => name === partition.topic);
  const isThere = topic !== undefined && offset >= (topic.starts[partition.partition] ?? Infinity);
  if (!isThere || !partition.incarnation.startsWith(topic.incarnation)) return null;
  const records = new RecordView({ decode: (bytes) => bytes });
  for await (const chunk of view.read(partition.topic, partition.partition, { from: offset, to: offset + 1 })) {
    records.clear();
    records.addStored(partition, chunk, offset);
    if (records.count === 0 || records.offset(0) !== offset) return null;
    const [key, value] = [copyOf(records.key(0)), copyOf(records.value(0))];
    if (digestOf(key, value) !== reference.digest) return null;
    return { key, value, headers: Array.from(records.headers(0), ([name, bytes]) => [name, copyOf(bytes)] as const) };
  }
  return null;
}

function copyOf(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : Uint8Array.from(bytes);
}
