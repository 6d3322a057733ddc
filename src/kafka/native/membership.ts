import { describeError, SluiceError } from '../../api/index.ts';
import type { GroupGeneration, MemberOptions } from '../client.ts';
import type { Cluster } from './cluster.ts';
import { fetchSaved, type TopicPartition } from './group-offsets.ts';
import type { Committed, Holdings } from './holdings.ts';
import type { Waiting } from '../common/waiting.ts';

/** One way of being a member of a group. */
export interface Membership {
  /** Null while the group does not count this member. */
  readonly generation: GroupGeneration | null;
  /** Joins, and again whenever it has to. Rejects with what waiting does not mend, and when its signal aborts. */
  run(): Promise<void>;
  commit(offsets: readonly (TopicPartition & { readonly next: number })[]): Promise<void>;
  /** After `run` has ended: lets go of the partitions at once, unless the member is static and may come back. One attempt. */
  leave(): Promise<void>;
}

export interface MembershipContext {
  readonly cluster: Cluster;
  readonly options: MemberOptions;
  readonly waiting: Waiting;
  readonly holdings: Holdings;
  /** For requests that wait for the other members, so that nothing else waits behind them. */
  readonly lane: string;
  readonly signal: AbortSignal;
  readonly tuning: MemberTuning;
}

export interface MemberTuning {
  /** How long the group waits for a member that has to give something up. */
  readonly rebalanceMs: number;
  /** How often topics are looked at: new ones, and more partitions. */
  readonly watchMs: number;
}

export const UNKNOWN_MEMBER_ID = 25;
export const FENCED_INSTANCE_ID = 82;

/** Of the heartbeats beside a join that waits. */
export function heartbeatLane(lane: string): string {
  return `${lane}-heartbeat`;
}

/** Names, or those that fit the pattern now; never the brokers' own topics. */
export async function subscribedTopics({ cluster, options, signal }: MembershipContext): Promise<readonly string[]> {
  const { topics } = options;
  if (!('pattern' in topics)) return topics;
  const all = await cluster.metadata.list(null, signal);
  return all
    .filter(({ name, isInternal }) => !isInternal && fits(topics.pattern, name))
    .map(({ name }) => name)
    .toSorted();
}

// Of a pattern with the flag `g` or `y` the last match would decide where the next begins.
function fits(pattern: RegExp, name: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(name);
}

/** Looks at the topics every now and then, until the membership ends. What cannot be asked for is asked for again. */
export async function watchTopics(
  { cluster, options, signal, tuning }: MembershipContext,
  look: () => Promise<void>,
): Promise<void> {
  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    try {
      await cluster.clock.sleep(tuning.watchMs, signal);
      await look();
    } catch (error) {
      if (isOver()) return;
      cluster.log.warn({ group: options.group, error: describeError(error) }, 'cannot look at the topics of a group');
    }
  }
}

/** With what the group saved of them. One attempt. What was deleted meanwhile is left out. */
export async function withSaved(
  { cluster, options, signal }: MembershipContext,
  partitions: readonly TopicPartition[],
  member: GroupGeneration | null,
): Promise<readonly Committed[]> {
  if (partitions.length === 0) return [];
  const incarnations = new Map<string, string>();
  for (const { topic } of partitions) {
    if (incarnations.has(topic)) continue;
    try {
      incarnations.set(topic, (await cluster.metadata.topic(topic, signal)).incarnation);
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'TOPIC_UNKNOWN') throw error;
    }
  }
  const saved = await fetchSaved(cluster, { group: options.group, member }, partitions, signal);
  return saved.flatMap(({ topic, partition, committed }) => {
    const incarnation = incarnations.get(topic);
    return incarnation === undefined ? [] : [{ topic, partition, incarnation, committed }];
  });
}

export function rebalanced(group: string, topics: readonly TopicPartition[]): SluiceError {
  const [first] = topics;
  const where = first === undefined ? '' : ` of topic ${JSON.stringify(first.topic)} partition ${first.partition}`;
  const matter = 'the partition is no longer this member’s';
  return new SluiceError('KAFKA_REBALANCED', `saving offsets${where} for group ${JSON.stringify(group)}: ${matter}`);
}

/** Those of the first list that are not in the second. */
export function without<Entry extends TopicPartition>(
  partitions: readonly Entry[],
  others: readonly TopicPartition[],
): readonly Entry[] {
  const keys = new Set(others.map(({ topic, partition }) => `${topic} ${partition}`));
  return partitions.filter(({ topic, partition }) => !keys.has(`${topic} ${partition}`));
}
