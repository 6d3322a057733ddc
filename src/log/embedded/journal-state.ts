import type { Position } from '../../api/index.ts';
import type { JournalFrame, PartitionEnd, SinkState } from './journal-frame.ts';

/** Longer than the window of any source: what a source still asks for is here. */
const DEDUPE_WINDOW_MS = 24 * 3600 * 1000;
const MAX_DEDUPE_IDS = 200_000;

export const EMPTY_PARTITION: PartitionEnd = { start: 0, end: 0, segment: 0, bytes: 0 };

/** What a journal says up to its newest frame. */
export class JournalState {
  sequence = 0;
  /** By topic id, then by partition. */
  readonly ends = new Map<string, PartitionEnd[]>();
  readonly positions = new Map<string, Map<string, Position>>();
  /** Oldest first. */
  readonly dedupe = new Map<string, Map<string, number>>();
  readonly sinks = new Map<string, SinkState>();
  readonly resets = new Map<string, number>();

  apply(frame: JournalFrame): void {
    this.sequence = frame.sequence;
    for (const source of frame.forgottenSources ?? []) {
      this.positions.delete(source);
      this.dedupe.delete(source);
    }
    for (const [topicId, partition, end] of frame.ends ?? []) this.#setEnd(topicId, partition, end);
    for (const [source, partition, position] of frame.positions ?? []) this.#setPosition(source, partition, position);
    for (const [source, id, atMs] of frame.dedupe ?? []) this.#addId(source, id, atMs);
    for (const [sink, state] of frame.sinks ?? []) this.#setSink(sink, state);
    for (const [sink, reset] of frame.resets ?? []) this.resets.set(sink, reset);
    for (const [sink, partition, next] of frame.offsets ?? []) this.#setOffset(sink, partition, next);
  }

  /** One frame that makes this state from nothing. */
  toFrame(): JournalFrame {
    return {
      sequence: this.sequence,
      ends: [...this.ends].flatMap(([id, ends]) => ends.map((end, partition) => [id, partition, end] as const)),
      positions: flatten(this.positions),
      dedupe: flatten(this.dedupe),
      sinks: [...this.sinks],
      resets: [...this.resets],
    };
  }

  /** The resets of a sink so far, forgotten or not. */
  resetOf(sink: string): number {
    return this.sinks.get(sink)?.reset ?? this.resets.get(sink) ?? 0;
  }

  #setEnd(topicId: string, partition: number, end: PartitionEnd): void {
    let ends = this.ends.get(topicId);
    if (ends === undefined) this.ends.set(topicId, (ends = []));
    while (ends.length < partition) ends.push(EMPTY_PARTITION);
    ends[partition] = end;
  }

  #setPosition(source: string, partition: string, position: Position | null): void {
    const positions = child(this.positions, source);
    if (position === null) positions.delete(partition);
    else positions.set(partition, position);
    if (positions.size === 0) this.positions.delete(source);
  }

  #addId(source: string, id: string, atMs: number): void {
    const ids = child(this.dedupe, source);
    // Deleted first, so that the map's order stays the order of the commits.
    ids.delete(id);
    ids.set(id, atMs);
    for (const [oldest, at] of ids) {
      if (ids.size <= MAX_DEDUPE_IDS && atMs - at <= DEDUPE_WINDOW_MS) return;
      ids.delete(oldest);
    }
  }

  #setSink(sink: string, state: SinkState | null): void {
    const before = this.resetOf(sink);
    if (state !== null) {
      this.sinks.set(sink, state);
      this.resets.delete(sink);
      return;
    }
    if (before > 0) this.resets.set(sink, before);
    this.sinks.delete(sink);
  }

  #setOffset(sink: string, partition: number, next: number): void {
    const state = this.sinks.get(sink);
    if (state === undefined) return;
    this.sinks.set(sink, { ...state, next: state.next.with(partition, next) });
  }
}

function child<Value>(map: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  let inner = map.get(name);
  if (inner === undefined) map.set(name, (inner = new Map<string, Value>()));
  return inner;
}

function flatten<Value>(map: ReadonlyMap<string, ReadonlyMap<string, Value>>): (readonly [string, string, Value])[] {
  return [...map].flatMap(([name, inner]) => [...inner].map(([key, value]) => [name, key, value] as const));
}
