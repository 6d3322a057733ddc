import type { Position } from '../../api/index.ts';
import type { SavedChanges, SavedView } from '../../log/index.ts';

/** Where one partition of a leg stands, or is to stand. */
export type Entry = SinkEntry | SourceEntry;

export interface SinkEntry {
  readonly kind: 'sink';
  readonly pipeline: string;
  readonly leg: string;
  readonly topic: string;
  readonly partition: number;
  /** The topic that the offset is of; null where that was not said: the one that is there. */
  readonly incarnation: string | null;
  /** The next offset wanted. */
  readonly position: number;
}

interface SourceEntry {
  readonly kind: 'source';
  readonly pipeline: string;
  readonly leg: string;
  readonly partition: string;
  /** Null: nothing is, or is to be, saved. */
  readonly position: Position | null;
}

export type LegKind = Entry['kind'];

/** A leg that a command is about. */
export interface LegName {
  readonly pipeline: string;
  readonly leg: string;
}

/** Tells what an entry is about apart from all others. */
export function keyOf(entry: Entry): string {
  const place = entry.kind === 'sink' ? `${entry.topic} ${entry.partition}` : entry.partition;
  return `${entry.kind} ${entry.pipeline}/${entry.leg} ${place}`;
}

/** Everything that is saved. */
export function entriesOf({ pipelines }: Pick<SavedView, 'pipelines'>): Entry[] {
  return pipelines.flatMap(({ pipeline, sinks, sources }) => [
    ...sinks.map(({ sink, topic, partition, incarnation, next }): Entry => {
      return { kind: 'sink', pipeline, leg: sink, topic, partition, incarnation, position: next };
    }),
    ...sources.map(({ source, partition, position }): Entry => {
      return { kind: 'source', pipeline, leg: source, partition, position };
    }),
  ]);
}

/** What has to be saved so that the entries hold, by pipeline. */
export function savedChanges(entries: readonly Entry[], topics: SavedView['topics']): Map<string, SavedChanges> {
  const byPipeline = new Map<
    string,
    { sinks: SavedChanges['sinks'][number][]; sources: SavedChanges['sources'][number][] }
  >();
  for (const entry of entries) {
    let own = byPipeline.get(entry.pipeline);
    if (own === undefined) byPipeline.set(entry.pipeline, (own = { sinks: [], sources: [] }));
    if (entry.kind === 'source') {
      own.sources.push({ source: entry.leg, partition: entry.partition, position: entry.position });
    } else {
      const { leg: sink, topic, partition, position: next } = entry;
      const incarnation = entry.incarnation ?? topics.find(({ name }) => name === topic)?.incarnation ?? '';
      own.sinks.push({ sink, topic, partition, incarnation, next });
    }
  }
  return byPipeline;
}
