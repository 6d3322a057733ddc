import type { Position } from '../api/index.ts';

/** What an operator wants to be saved of one pipeline in the place of what is, while nobody runs it. */
export interface SavedChanges {
  /** Of a sink that has nothing saved of this incarnation of the topic, all partitions. */
  readonly sinks: readonly {
    readonly sink: string;
    readonly topic: string;
    readonly incarnation: string;
    readonly partition: number;
    readonly next: number;
  }[];
  /** `position` null deletes. */
  readonly sources: readonly {
    readonly source: string;
    readonly partition: string;
    readonly position: Position | null;
  }[];
}

/** By name, in the order of their first mention. */
export function bySink(changes: SavedChanges['sinks']): ReadonlyMap<string, SavedChanges['sinks']> {
  const found = new Map<string, SavedChanges['sinks'][number][]>();
  for (const change of changes) {
    const own = found.get(change.sink);
    if (own === undefined) found.set(change.sink, [change]);
    else own.push(change);
  }
  return found;
}
