import { topicChanged } from '../topic-changed.ts';

/** What a sink knows of a partition beyond the group's offset. */
export interface SinkState {
  /** The incarnation of the topic. */
  readonly topicId: string;
  /** Of the topic. */
  readonly partitions: number;
  /** Never beyond what the group has committed, unless somebody set the group back. */
  readonly next: number;
  /** How often an operator set the group back. */
  readonly reset: number;
  /** How often the log was found shorter than what the sink had read: offsets were given twice, ids must not be. */
  readonly cuts: number;
}

/** A partition that was assigned to a sink, and all there is to know of where it stands. */
export interface Standing {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  readonly partitions: number;
  /** The group's offset. */
  readonly committed: number | null;
  readonly state: SinkState | null;
  /** Some partition of this sink has a state, of whatever topic. */
  readonly isKnown: boolean;
  /** The reader has found that the log ends before where the sink stood. */
  readonly isCut: boolean;
  readonly earliest: number;
  readonly latest: number;
  /** Where a new sink starts. */
  readonly start: number;
}

export type Reason = 'new' | 'goes on' | 'offset was gone' | 'set back' | 'new partition' | 'recreated' | 'cut off';

export interface Start {
  readonly state: SinkState;
  readonly why: Reason;
}

/** Where a sink begins to read. `keyed`: what it wrote hangs on offsets and on the number of partitions. Throws `TOPIC_CHANGED` for those. */
export function decideStart(standing: Standing, keyed: boolean): Start {
  const { state, topicId, partitions, committed, isKnown } = standing;
  if (keyed) holdVersions(standing);
  const fresh = { topicId, partitions, reset: state?.reset ?? 0, cuts: state?.cuts ?? 0 };
  if (state !== null && state.topicId !== topicId)
    return { state: { ...fresh, next: standing.earliest, cuts: 0 }, why: 'recreated' };
  if (isCutOff(standing)) return { state: { ...fresh, next: standing.earliest, cuts: fresh.cuts + 1 }, why: 'cut off' };
  if (state === null) {
    if (committed !== null) return { state: { ...fresh, next: committed }, why: 'goes on' };
    // What was written before the sink learnt of the partition is the sink's, wherever new sinks start.
    if (isKnown) return { state: { ...fresh, next: standing.earliest }, why: 'new partition' };
    return { state: { ...fresh, next: standing.start }, why: 'new' };
  }
  if (committed === null) return { state: { ...fresh, next: state.next }, why: 'offset was gone' };
  if (committed < state.next) return { state: { ...fresh, next: committed, reset: state.reset + 1 }, why: 'set back' };
  return { state: { ...fresh, next: committed }, why: 'goes on' };
}

function isCutOff({ state, committed, latest, isCut }: Standing): boolean {
  return isCut || Math.max(state?.next ?? 0, committed ?? 0) > latest;
}

function holdVersions(standing: Standing): void {
  const { topic, state, topicId, partitions, isKnown } = standing;
  const change =
    state !== null && state.topicId !== topicId
      ? 'it was deleted and created again'
      : isCutOff(standing)
        ? 'it ends before what was read of it'
        : state !== null && state.partitions !== partitions
          ? `it had ${state.partitions} partitions and has ${partitions}`
          : state === null && isKnown
            ? 'it is another one, or has more partitions, than the sink has read so far'
            : null;
  if (change === null) return;
  throw topicChanged(topic, change);
}
