import type { SealedBatch, TopicLog } from '../log/index.ts';
import type { Compression } from '../record/index.ts';
import { createBufferShare } from './buffer-share.ts';
import type { LetterTest } from './dead-letter-filter.ts';
import { placeKey, type DeadLetterIndex } from './dead-letter-reader.ts';
import type { StoredDeadLetter } from './stored-dead-letter.ts';
import { writeLetters } from './stored-letters.ts';

const WINDOW_RECORDS = 500;
const WINDOW_BYTES = 4 * 1024 * 1024;
const BUFFER_BYTES = 64 * 1024 * 1024;

/** What is to be given up, and where that means to write the others once more. */
export interface PurgePlan {
  readonly ids: ReadonlySet<string>;
  /** Topics of dead letters before those of parked ones: until the last step they keep the others from standing again. */
  readonly places: readonly { readonly topic: string; readonly partition: number }[];
}

/** `onChosen` is told of each that is to be given up; it takes memory for the id of each. */
export async function planPurge(
  index: DeadLetterIndex,
  test: LetterTest,
  onChosen: (letter: StoredDeadLetter) => void,
): Promise<PurgePlan> {
  const ids = new Set<string>();
  for await (const letter of index.letters())
    if (test(letter)) {
      ids.add(letter.id);
      onChosen(letter);
    }
  const places = new Map<string, PurgePlan['places'][number] & { readonly isParked: boolean }>();
  // Earlier refusals of them, too: without the newest they would stand again.
  if (ids.size > 0)
    for await (const { id, stored, isParked } of index.all())
      if (ids.has(id)) places.set(placeKey(stored.topic, stored.partition), { ...stored, isParked });
  const sorted = [...places.values()].sort((one, other) => Number(one.isParked) - Number(other.isParked));
  return { ids, places: sorted.map(({ topic, partition }) => ({ topic, partition })) };
}

/** Writes those of a place that are kept behind its end. Rejects with what the topic log rejects with. */
export async function keepOthers(
  index: DeadLetterIndex,
  { ids }: PurgePlan,
  {
    place: { topic, partition },
    topicLog,
    compression,
  }: { readonly place: PurgePlan['places'][number]; readonly topicLog: TopicLog; readonly compression: Compression },
): Promise<void> {
  const { partitions, maxBatchBytes } = topicLog.describe(topic);
  const options = {
    target: { topic, partitions, maxBatchBytes },
    compression,
    pool: createBufferShare(BUFFER_BYTES, 1),
    signal: new AbortController().signal,
    commit: (batches: readonly SealedBatch[]) => topicLog.commit({ batches }),
  };
  let window: StoredDeadLetter[] = [];
  let bytes = 0;
  for await (const letter of index.lettersOf(topic, partition)) {
    if (ids.has(letter.id)) continue;
    window.push(letter);
    bytes += letter.value?.length ?? 0;
    if (window.length < WINDOW_RECORDS && bytes < WINDOW_BYTES) continue;
    await writeLetters(window, options);
    [window, bytes] = [[], 0];
  }
  if (window.length > 0) await writeLetters(window, options);
}
