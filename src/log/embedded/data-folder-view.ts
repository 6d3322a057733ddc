import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describeError, SluiceError } from '../../api/index.ts';
import type { PipelineView, SavedTopic, SavedView } from '../saved-view.ts';
import type { FileSystem } from './file-system.ts';
import { listIfThere, withFile } from './files.ts';
import { namesIn } from './inventory.ts';
import { readJournal } from './journal.ts';
import type { PartitionEnd } from './journal-frame.ts';
import type { JournalState } from './journal-state.ts';
import { corruption, isMissing, logError } from './log-errors.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { findBatchAt, firstRecordAt } from './offset-at.ts';
import { PartitionReader } from './partition-reader.ts';
import { journalsFolder, parseSegmentName, partitionFolder, segmentName, topicsFolder } from './paths.ts';
import { SegmentFiles } from './segment-files.ts';
import { incarnationOf, readTopicFile, type TopicFile } from './topic-file.ts';

/** A hub beside it may compact or hand over while its folder is read: what then looks damaged is whole at the next look. */
const ATTEMPTS = 10;
const CHUNK_BYTES = 1024 * 1024;

export interface TopicView extends SavedTopic {
  /** A UUID. */
  readonly id: string;
  readonly bytes: number;
}

/** What a data folder held at one moment. */
export interface DataFolderView extends SavedView {
  readonly topics: readonly TopicView[];
  /** What cannot be read, in words; it is missing above. */
  readonly damaged: readonly string[];
}

export interface ReadDataFolderOptions {
  readonly dataDir: string;
  readonly fileSystem?: FileSystem;
}

/** Looks into a data folder without its lock, beside a running hub too, and changes nothing. */
export async function readDataFolder({
  dataDir,
  fileSystem = nodeFileSystem,
}: ReadDataFolderOptions): Promise<DataFolderView> {
  for (let attempt = 1; ; attempt++) {
    const view = await look(fileSystem, dataDir);
    if (view.damaged.length === 0 || attempt === ATTEMPTS) return view;
    await nextTurn();
  }
}

async function look(fileSystem: FileSystem, dataDir: string): Promise<DataFolderView> {
  const damaged: string[] = [];
  const tryTo = async (read: () => Promise<void>): Promise<void> => {
    try {
      await read();
    } catch (error) {
      damaged.push(describeError(logError(error, `reading the data folder "${dataDir}"`)));
    }
  };
  // Topics before journals: who owns a topic now may not have known it when the journals were read.
  const files: TopicFile[] = [];
  for (const name of await namesIn(fileSystem, topicsFolder(dataDir)))
    await tryTo(async () => {
      const file = await readTopicFile(fileSystem, dataDir, name);
      if (file !== null) files.push(file);
    });
  const journals = new Map<string, JournalState>();
  for (const pipeline of await namesIn(fileSystem, journalsFolder(dataDir)))
    await tryTo(async () => {
      const loaded = await readJournal({ fileSystem, dataDir, pipeline });
      if (loaded !== null) journals.set(pipeline, loaded.state);
    });
  const topics: TopicView[] = [];
  for (const file of files)
    await tryTo(async () => {
      topics.push(await topicView(fileSystem, dataDir, { file, ends: journals.get(file.owner)?.ends.get(file.id) }));
    });
  const known = (topic: string, partition: number): { view: TopicView; end: PartitionEnd; folder: string } => {
    const view = topics.find(({ name }) => name === topic);
    const end = view === undefined ? undefined : journals.get(view.owner)?.ends.get(view.id)?.[partition];
    if (view === undefined || end === undefined || partition >= view.partitions)
      throw new SluiceError('TOPIC_UNKNOWN', `reading topic "${topic}": it has no partition ${partition} here`);
    return { view, end, folder: partitionFolder(dataDir, topic, partition) };
  };
  return {
    topics,
    pipelines: [...journals].map(([pipeline, state]) => pipelineView(pipeline, state)),
    damaged,
    read: (topic, partition, options) => {
      const { end, folder } = known(topic, partition);
      const from = Math.max(end.start, options?.from ?? 0);
      const to = Math.min(end.end, options?.to ?? Infinity);
      return readBatches(fileSystem, folder, { from, to });
    },
    offsetAt: async (topic, partition, timestampMs) => {
      const { end, folder } = known(topic, partition);
      const batch = await findBatchAt(fileSystem, folder, { end, timestampMs });
      if (batch === null) return end.end;
      for await (const chunk of readBatches(fileSystem, folder, batch)) {
        const offset = firstRecordAt(chunk, { from: Math.max(batch.from, end.start), timestampMs });
        if (offset !== null) return offset;
      }
      return batch.to;
    },
  };
}

async function topicView(
  fileSystem: FileSystem,
  dataDir: string,
  { file, ends }: { readonly file: TopicFile; readonly ends: readonly PartitionEnd[] | undefined },
): Promise<TopicView> {
  const { name, id, partitions, owner } = file;
  if (ends === undefined || ends.length < partitions)
    throw corruption(`topic "${name}"`, `the journal of its pipeline "${owner}" does not know where it ends`);
  const own = ends.slice(0, partitions);
  let bytes = 0;
  for (const [partition, end] of own.entries())
    bytes += await bytesIn(fileSystem, partitionFolder(dataDir, name, partition), end);
  return {
    name,
    id,
    incarnation: incarnationOf(id),
    partitions,
    owner,
    starts: own.map(({ start }) => start),
    ends: own.map(({ end }) => end),
    bytes,
  };
}

async function bytesIn(fileSystem: FileSystem, folder: string, end: PartitionEnd): Promise<number> {
  let { bytes } = end;
  const bases = (await listIfThere(fileSystem, folder)).flatMap((name) => parseSegmentName(name) ?? []);
  for (const base of bases.filter((one) => one >= end.start && one < end.segment)) {
    const path = join(folder, segmentName(base));
    bytes += await withFile(fileSystem, path, 'read', (segment) => segment.size()).catch((error: unknown) => {
      // Retention took it since it was listed.
      if (isMissing(error)) return 0;
      throw error;
    });
  }
  return bytes;
}

function pipelineView(pipeline: string, { positions, sinks }: JournalState): PipelineView {
  return {
    pipeline,
    sources: [...positions].flatMap(([source, partitions]) =>
      [...partitions].map(([partition, position]) => ({ source, partition, position })),
    ),
    sinks: [...sinks].flatMap(([sink, { topic, id, next, reset }]) =>
      next.map((offset, partition) => {
        return { sink, topic, incarnation: incarnationOf(id), partition, next: offset, reset };
      }),
    ),
  };
}

async function* readBatches(
  fileSystem: FileSystem,
  folder: string,
  { from, to }: { readonly from: number; readonly to: number },
): AsyncGenerator<Buffer> {
  const files = new SegmentFiles(fileSystem);
  const reader = new PartitionReader({ fileSystem, files, folder });
  try {
    let target = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let next = from; next < to;) {
      const result = await reader.read(next, to, target);
      if ('neededBytes' in result) {
        if (result.neededBytes <= target.length)
          throw corruption(`"${folder}"`, `the batch with offset ${next} is cut off`);
        target = Buffer.allocUnsafe(result.neededBytes);
        continue;
      }
      next = result.next;
      if (result.length > 0) yield Buffer.from(target.subarray(0, result.length));
    }
  } finally {
    await files.closeAll();
  }
}
