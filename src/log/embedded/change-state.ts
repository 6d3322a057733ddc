import { SluiceError } from '../../api/index.ts';
import { bySink, type SavedChanges } from '../saved-changes.ts';
import type { FileSystem } from './file-system.ts';
import type { FrameContent } from './journal.ts';
import type { SinkState } from './journal-frame.ts';
import type { JournalState } from './journal-state.ts';
import { incarnationOf, readTopicFile, type TopicFile } from './topic-file.ts';

type SinkChanges = SavedChanges['sinks'];

/** The one frame that makes the changes. A sink that is moved counts one more reset, by which those that keep offsets of their own obey. Throws `TOPIC_CHANGED`. */
export async function changeFrame(
  fileSystem: FileSystem,
  dataDir: string,
  { changes, state }: { readonly changes: SavedChanges; readonly state: JournalState },
): Promise<FrameContent> {
  const sinks: [string, SinkState][] = [];
  for (const [sink, moves] of bySink(changes.sinks)) {
    const { topic: name } = moves[0]!;
    const topic = await readTopicFile(fileSystem, dataDir, name);
    sinks.push([sink, movedSink(state, { sink, topic, moves })]);
  }
  const positions = changes.sources.map(({ source, partition, position }) => [source, partition, position] as const);
  return { ...(sinks.length > 0 ? { sinks } : {}), ...(positions.length > 0 ? { positions } : {}) };
}

function movedSink(
  state: JournalState,
  { sink, topic, moves }: { readonly sink: string; readonly topic: TopicFile | null; readonly moves: SinkChanges },
): SinkState {
  const isOther = topic === null || moves.some(({ incarnation }) => incarnation !== incarnationOf(topic.id));
  if (isOther) throw changed(moves[0]!.topic, 'it is not the one any more that the offsets are of');
  const saved = state.sinks.get(sink);
  const before = saved?.id === topic.id ? saved.next : [];
  const next = Array.from({ length: topic.partitions }, (_, partition) => {
    const offset = moves.find((move) => move.partition === partition)?.next ?? before[partition];
    if (offset === undefined)
      throw changed(topic.name, `nothing is saved of its partition ${partition} for the sink, nor is to be`);
    return offset;
  });
  return { topic: topic.name, id: topic.id, next, reset: state.resetOf(sink) + 1 };
}

function changed(topic: string, why: string): SluiceError {
  return new SluiceError('TOPIC_CHANGED', `moving a sink of topic "${topic}": ${why}; set all of its partitions`);
}
