import { join } from 'node:path';
import type { FileSystem } from '../file-system.ts';
import { listIfThere } from '../files.ts';
import type { PartitionEnd } from '../journal-frame.ts';
import type { JournalState } from '../journal-state.ts';
import { parseSegmentName, topicFolder } from '../paths.ts';
import type { TopicFile } from '../topic-file.ts';

interface Candidate {
  readonly id: string;
  readonly owner: string;
  readonly ends: readonly PartitionEnd[];
}

/** The base offsets of the segments that are there, by partition; empty when there are none. */
export async function segmentsThere(fileSystem: FileSystem, dataDir: string, name: string): Promise<number[][]> {
  const folder = topicFolder(dataDir, name);
  const bases: number[][] = [];
  for (const partition of await listIfThere(fileSystem, folder)) {
    if (!/^\d+$/.test(partition)) continue;
    const files = await listIfThere(fileSystem, join(folder, partition));
    const own = files.flatMap((file) => parseSegmentName(file) ?? []);
    if (own.length > 0) bases[Number(partition)] = own;
  }
  return bases;
}

/**
 * Makes the file of a topic from what the journals say of it: the one topic is meant that no file claims and whose segments are here; one that a sink names goes first. Null when
 * more than one may be meant.
 */
export async function salvageTopic(
  fileSystem: FileSystem,
  dataDir: string,
  {
    name,
    claimed,
    journals,
  }: {
    readonly name: string;
    /** Ids of the topics whose file is there. */
    readonly claimed: ReadonlySet<string>;
    readonly journals: ReadonlyMap<string, JournalState>;
  },
): Promise<TopicFile | null> {
  const there = await segmentsThere(fileSystem, dataDir, name);
  const fitting = newestOwners(journals).filter(({ id, ends }) => !claimed.has(id) && fits(ends, there));
  const sinks = [...journals.values()].flatMap((state) => [...state.sinks.values()]);
  const named = fitting.filter((one) => sinks.some(({ topic, id }) => topic === name && id === one.id));
  const candidates = named.length > 0 ? named : fitting;
  const [only] = candidates;
  if (only === undefined || candidates.length > 1) return null;
  return { version: 1, name, id: only.id, partitions: only.ends.length, owner: only.owner };
}

/** A topic whose folder was taken away is known to journals as well. */
function fits(ends: readonly PartitionEnd[], there: readonly (readonly number[] | undefined)[]): boolean {
  const isThere = ({ segment, bytes }: PartitionEnd, partition: number): boolean =>
    bytes === 0 || (there[partition]?.includes(segment) ?? false);
  return ends.length >= there.length && ends.every(isThere);
}

/** A topic that changed hands is in the journals of all its owners: the last one knows the highest ends. */
function newestOwners(journals: ReadonlyMap<string, JournalState>): Candidate[] {
  const newest = new Map<string, Candidate>();
  const total = ({ ends }: Candidate): number => ends.reduce((sum, { end }) => sum + end, 0);
  for (const [owner, state] of journals)
    for (const [id, ends] of state.ends) {
      const candidate = { id, owner, ends };
      const other = newest.get(id);
      if (other === undefined || total(candidate) > total(other)) newest.set(id, candidate);
    }
  return [...newest.values()];
}
