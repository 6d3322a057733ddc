import type { TopicPartition } from '../../api/index.ts';
import type { SinkStates } from './sink-states.ts';
import type { SinkState } from './start-rules.ts';

interface Owned {
  /** As the sink sees it. */
  readonly partition: TopicPartition;
  state: SinkState;
}

/** The partitions that a sink may read and commit now, with their states. */
export class OwnedPartitions {
  readonly #states: SinkStates;
  readonly #owned = new Map<number, Owned>();
  /** Those whose log ended before where the sink stood, until they are assigned again. */
  readonly #cut = new Set<number>();

  constructor(states: SinkStates) {
    this.#states = states;
  }

  add(topic: string, partition: number, state: SinkState): TopicPartition {
    const shown = { topic, partition, incarnation: incarnationOf(state) };
    this.#owned.set(partition, { partition: shown, state });
    return shown;
  }

  has(partition: number): boolean {
    return this.#owned.has(partition);
  }

  shown(partition: number): TopicPartition | null {
    return this.#owned.get(partition)?.partition ?? null;
  }

  /** The group has saved `next`. */
  committed(partition: number, next: number): void {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return;
    owned.state = { ...owned.state, next };
    this.#states.put(partition, owned.state);
  }

  forget(partition: number): void {
    this.#owned.delete(partition);
  }

  forgetAll(): TopicPartition[] {
    const shown = [...this.#owned.values()].map(({ partition }) => partition);
    this.#owned.clear();
    return shown;
  }

  markCut(partition: number): void {
    this.#cut.add(partition);
  }

  takeCut(): ReadonlySet<number> {
    const cut = new Set(this.#cut);
    this.#cut.clear();
    return cut;
  }
}

/** Offsets that were given twice must not make the same ids twice. */
function incarnationOf({ topicId, cuts }: SinkState): string {
  return cuts === 0 ? topicId : `${topicId}-${cuts}`;
}
