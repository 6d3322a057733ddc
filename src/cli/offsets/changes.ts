import { isDeepStrictEqual } from 'node:util';
import type { Position } from '../../api/index.ts';
import type { SavedTopic, SavedView } from '../../log/index.ts';
import { entriesOf, keyOf, type Entry, type SinkEntry } from './entry.ts';

/** One position that would be another one than is saved. */
export interface Change {
  readonly entry: Entry;
  /** Null: nothing is saved. */
  readonly from: Position | null;
  /** What else has to be known, for people. */
  readonly note: string | null;
}

export interface Wish {
  readonly entry: Entry;
  readonly note?: string;
}

/** Something that was asked for and will not be done. */
export interface Left {
  readonly what: string;
  readonly why: string;
}

export interface ChangePlan {
  readonly changes: readonly Change[];
  readonly left: readonly Left[];
}

/** What is not as wished. Offsets outside of their partition become its nearest end, as Kafka's own tool does it. */
export function planChanges(wishes: readonly Wish[], view: SavedView): ChangePlan {
  const saved = new Map(entriesOf(view).map((entry) => [keyOf(entry), entry]));
  const changes: Change[] = [];
  const left: Left[] = [];
  for (const wish of wishes) {
    const held: Wish | Left = wish.entry.kind === 'sink' ? heldInside(wish.entry, view) : wish;
    if ('why' in held) {
      left.push(held);
      continue;
    }
    const { entry, note = null } = held;
    const before = saved.get(keyOf(entry));
    if (before !== undefined && isSame(before, entry)) continue;
    if (before === undefined && entry.position === null) continue;
    changes.push({ entry, from: before?.position ?? null, note });
  }
  return { changes: withNeighbours(changes, view), left };
}

function isSame(saved: Entry, wanted: Entry): boolean {
  if (saved.kind === 'sink' && wanted.kind === 'sink' && saved.incarnation !== wanted.incarnation) return false;
  return isDeepStrictEqual(saved.position, wanted.position);
}

function heldInside(entry: SinkEntry, { topics }: SavedView): Wish | Left {
  const what = `${entry.pipeline}/${entry.leg} ${entry.topic}/${entry.partition}`;
  const topic = topics.find(({ name }) => name === entry.topic);
  if (topic === undefined) return { what, why: 'there is no such topic' };
  if (entry.incarnation !== null && entry.incarnation !== topic.incarnation)
    return {
      what,
      why: `the topic was deleted and created again: the offset is of ${entry.incarnation}, and it is ${topic.incarnation} now`,
    };
  const [start, end] = [topic.starts[entry.partition], topic.ends[entry.partition]];
  if (start === undefined || end === undefined) return { what, why: `the topic has ${topic.partitions} partitions` };
  const position = Math.min(end, Math.max(start, entry.position));
  const held = { ...entry, incarnation: topic.incarnation, position };
  if (position === entry.position) return { entry: held };
  return {
    entry: held,
    note: `${entry.position} is not there any more or not yet: the partition has ${start} to ${end}`,
  };
}

/** A sink is moved as a whole where nothing holds of it yet: what was not asked for begins at its beginning. */
function withNeighbours(changes: readonly Change[], view: SavedView): Change[] {
  const saved = new Set(
    entriesOf(view).map((entry) => `${keyOf(entry)} ${entry.kind === 'sink' ? entry.incarnation : ''}`),
  );
  const wanted = new Set(changes.map(({ entry }) => keyOf(entry)));
  const more = changes.flatMap(({ entry }): Change[] => {
    const topic = entry.kind === 'sink' ? view.topics.find(({ name }) => name === entry.topic) : undefined;
    if (entry.kind !== 'sink' || topic === undefined) return [];
    return neighbours(entry, topic).flatMap((neighbour) => {
      const key = keyOf(neighbour);
      if (wanted.has(key) || saved.has(`${key} ${topic.incarnation}`)) return [];
      wanted.add(key);
      return [{ entry: neighbour, from: null, note: 'nothing is saved of it, so it begins at its beginning' }];
    });
  });
  return [...changes, ...more];
}

function neighbours(entry: SinkEntry, { starts }: SavedTopic): SinkEntry[] {
  return starts.map((position, partition) => ({ ...entry, partition, position }));
}
