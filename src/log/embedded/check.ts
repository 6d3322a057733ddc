import { join } from 'node:path';
import { describeError } from '../../api/index.ts';
import { verifyBatch } from '../../record/index.ts';
import type { FileSystem, LogFile } from './file-system.ts';
import { withFile } from './files.ts';
import { namesIn } from './inventory.ts';
import { readJournal } from './journal.ts';
import type { PartitionEnd } from './journal-frame.ts';
import type { LoadedJournal } from './journal-load.ts';
import { corruption } from './log-errors.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { journalFolder, journalsFolder, partitionFolder, segmentName, topicFolder, topicsFolder } from './paths.ts';
import { examineTopic } from './recovery.ts';
import { scanHeaders } from './segment-scan.ts';
import { readTopicFile, type TopicFile } from './topic-file.ts';

export interface CheckResult {
  /** A journal's or topic's folder, or a segment's file. */
  readonly path: string;
  readonly ok: boolean;
  /** What is there, or what is wrong with it. */
  readonly detail: string;
}

/**
 * Reads everything that a data folder has committed and verifies it: journals, topics, each batch of each segment. Changes nothing; beside a running hub it judges what was
 * committed when it began.
 */
export async function* checkDataFolder({
  dataDir,
  fileSystem = nodeFileSystem,
}: {
  readonly dataDir: string;
  readonly fileSystem?: FileSystem;
}): AsyncGenerator<CheckResult> {
  const journals = new Map<string, LoadedJournal | null>();
  for (const pipeline of await namesIn(fileSystem, journalsFolder(dataDir)))
    yield judge(journalFolder(dataDir, pipeline), async () => {
      const loaded = await readJournal({ fileSystem, dataDir, pipeline });
      journals.set(pipeline, loaded);
      return loaded === null ? 'nothing was ever committed' : journalDetail(loaded);
    });
  for (const name of await namesIn(fileSystem, topicsFolder(dataDir))) {
    const topics: TopicFile[] = [];
    yield judge(topicFolder(dataDir, name), async () => {
      const topic = await readTopicFile(fileSystem, dataDir, name);
      if (topic === null) return 'no topic yet';
      await examineTopic(fileSystem, dataDir, { topic, ends: endsOf(journals, topic) });
      topics.push(topic);
      return `${topic.partitions} partitions, written by pipeline "${topic.owner}"`;
    });
    for (const topic of topics) yield* checkSegments(fileSystem, dataDir, { topic, ends: endsOf(journals, topic)! });
  }
}

async function* checkSegments(
  fileSystem: FileSystem,
  dataDir: string,
  { topic, ends }: { readonly topic: TopicFile; readonly ends: readonly PartitionEnd[] },
): AsyncGenerator<CheckResult> {
  for (const [partition, end] of ends.slice(0, topic.partitions).entries()) {
    const folder = partitionFolder(dataDir, topic.name, partition);
    for (let base = end.start; base <= end.segment;) {
      const path = join(folder, segmentName(base));
      let next = base;
      const result = await judge(path, async () => {
        if (base === end.segment && end.bytes === 0) return 'empty';
        const found = await checkSegment(fileSystem, path, { base, end });
        next = found.next;
        return `${found.batches} batches, offsets ${base} to ${next - 1}`;
      });
      yield result;
      if (!result.ok || next === base) break;
      if (next === end.end && base === end.segment) break;
      base = next;
    }
  }
}

async function checkSegment(
  fileSystem: FileSystem,
  path: string,
  { base, end }: { readonly base: number; readonly end: PartitionEnd },
): Promise<{ batches: number; next: number }> {
  return withFile(fileSystem, path, 'read', async (file) => {
    const to = base === end.segment ? end.bytes : await file.size();
    const spans: { position: number; byteLength: number }[] = [];
    let next = base;
    await scanHeaders({ file, path, from: 0, to }, ({ baseOffset, lastOffsetDelta, byteLength }, position) => {
      if (baseOffset !== next) throw corruption(`"${path}"`, `offset ${baseOffset} at byte ${position}, not ${next}`);
      next += lastOffsetDelta + 1;
      spans.push({ position, byteLength });
      return true;
    });
    for (const span of spans) await verifyStored(file, path, span);
    if (base === end.segment && next !== end.end)
      throw corruption(`"${path}"`, `it ends before offset ${next}, the journal says ${end.end}`);
    return { batches: spans.length, next };
  });
}

async function verifyStored(
  file: LogFile,
  path: string,
  { position, byteLength }: { readonly position: number; readonly byteLength: number },
): Promise<void> {
  const bytes = Buffer.allocUnsafe(byteLength);
  await file.read(bytes, 0, byteLength, position);
  if (!verifyBatch(bytes, 0)) throw corruption(`"${path}"`, `the batch at byte ${position} has a wrong checksum`);
}

async function judge(path: string, examine: () => Promise<string>): Promise<CheckResult> {
  try {
    return { path, ok: true, detail: await examine() };
  } catch (error) {
    return { path, ok: false, detail: describeError(error) };
  }
}

function journalDetail({ state, generation, anchor, tornBytes }: LoadedJournal): string {
  const torn = tornBytes > 0 ? `, ${tornBytes} bytes behind it were never committed` : '';
  const rebuilt = anchor === generation ? '' : `, made from the snapshot of generation ${anchor}`;
  return `generation ${generation}, frame ${state.sequence}${rebuilt}${torn}`;
}

function endsOf(
  journals: ReadonlyMap<string, LoadedJournal | null>,
  { owner, id }: TopicFile,
): readonly PartitionEnd[] | undefined {
  return journals.get(owner)?.state.ends.get(id);
}
