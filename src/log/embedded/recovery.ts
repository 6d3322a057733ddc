import { join } from 'node:path';
import type { FileSystem } from './file-system.ts';
import { cutDurably, listIfThere, removeIfThere, withFile } from './files.ts';
import type { PartitionEnd } from './journal-frame.ts';
import { corruption } from './log-errors.ts';
import {
  OFFSET_INDEX_SUFFIX,
  parseSegmentName,
  partitionFolder,
  SEGMENT_SUFFIX,
  segmentName,
  TIME_INDEX_SUFFIX,
} from './paths.ts';
import type { TopicFile } from './topic-file.ts';

interface PartitionFiles {
  readonly folder: string;
  readonly end: PartitionEnd;
  readonly names: readonly string[];
  readonly bases: readonly number[];
  /** Of the file that the committed end lies in; null when it is not there. */
  readonly size: number | null;
}

/**
 * Takes away whatever lies beyond the committed ends of a topic, and what retention had given up. Throws `LOG_CORRUPT`, and has then cut nothing, when files have
 * less than was committed.
 */
export async function cutTopic(
  fileSystem: FileSystem,
  dataDir: string,
  { topic, ends }: { readonly topic: TopicFile; readonly ends: readonly PartitionEnd[] | undefined },
): Promise<void> {
  const partitions = await examineTopic(fileSystem, dataDir, { topic, ends });
  for (const partition of partitions) await cutPartition(fileSystem, partition);
}

/** Does the folder of the topic hold what its owner's journal says? Throws `LOG_CORRUPT`. */
export async function examineTopic(
  fileSystem: FileSystem,
  dataDir: string,
  { topic, ends }: { readonly topic: TopicFile; readonly ends: readonly PartitionEnd[] | undefined },
): Promise<PartitionFiles[]> {
  const { name, owner } = topic;
  if (ends === undefined || ends.length < topic.partitions)
    throw corruption(`topic "${name}"`, `the journal of its pipeline "${owner}" does not know where it ends`);
  const partitions: PartitionFiles[] = [];
  for (const [partition, end] of ends.slice(0, topic.partitions).entries())
    partitions.push(await examinePartition(fileSystem, partitionFolder(dataDir, name, partition), end));
  return partitions;
}

async function examinePartition(fileSystem: FileSystem, folder: string, end: PartitionEnd): Promise<PartitionFiles> {
  const names = await listIfThere(fileSystem, folder);
  const bases = names.flatMap((name) => parseSegmentName(name) ?? []).sort((a, b) => a - b);
  const path = join(folder, segmentName(end.segment));
  const size = bases.includes(end.segment) ? await withFile(fileSystem, path, 'read', (file) => file.size()) : null;
  if ((size ?? 0) < end.bytes)
    throw corruption(`"${path}"`, `${size ?? 0} bytes, of which ${end.bytes} were committed`);
  if (end.start < end.segment && !bases.includes(end.start))
    throw corruption(`"${join(folder, segmentName(end.start))}"`, 'the file is missing');
  return { folder, end, names, bases, size };
}

async function cutPartition(
  fileSystem: FileSystem,
  { folder, end, names, bases, size }: PartitionFiles,
): Promise<void> {
  for (const name of names) {
    const base = [SEGMENT_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX]
      .map((suffix) => parseSegmentName(name, suffix))
      .find((one) => one !== null);
    if (base === undefined) continue;
    const following = bases.find((one) => one > base) ?? Infinity;
    const isGivenUp = base < end.segment && following <= end.start;
    if (base > end.segment || isGivenUp) await removeIfThere(fileSystem, join(folder, name));
  }
  if (size === null || size <= end.bytes) return;
  const path = join(folder, segmentName(end.segment));
  await withFile(fileSystem, path, 'write', (file) => cutDurably(file, end.bytes));
}
