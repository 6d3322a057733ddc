import { kafka } from './package.ts';
import type { GroupGeneration } from '../client.ts';
import { abortable } from '../common/abortable.ts';
import { assignPartitions } from './assignor.ts';
import { protocolError, throwOnCode } from '../common/errors.ts';
import { saveOffsets, type TopicPartition } from './group-offsets.ts';
import {
  FENCED_INSTANCE_ID,
  heartbeatLane,
  rebalanced,
  subscribedTopics,
  UNKNOWN_MEMBER_ID,
  watchTopics,
  withSaved,
  without,
  type Membership,
  type MembershipContext,
} from './membership.ts';
import { patiently } from './patiently.ts';
import { Rouser } from './rouser.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './subscription.ts';

const joinApis = [
  kafka.joinGroupV2.api,
  kafka.joinGroupV3.api,
  kafka.joinGroupV4.api,
  kafka.joinGroupV5.api,
  kafka.joinGroupV6.api,
  kafka.joinGroupV7.api,
  kafka.joinGroupV8.api,
  kafka.joinGroupV9.api,
];
const syncApis = [
  kafka.syncGroupV1.api,
  kafka.syncGroupV2.api,
  kafka.syncGroupV3.api,
  kafka.syncGroupV4.api,
  kafka.syncGroupV5.api,
];
const heartbeatApis = [kafka.heartbeatV1.api, kafka.heartbeatV2.api, kafka.heartbeatV3.api, kafka.heartbeatV4.api];
const leaveApis = [
  kafka.leaveGroupV1.api,
  kafka.leaveGroupV2.api,
  kafka.leaveGroupV3.api,
  kafka.leaveGroupV4.api,
  kafka.leaveGroupV5.api,
];

const PROTOCOL_TYPE = 'consumer';
const ASSIGNOR = 'cooperative-sticky';
const ILLEGAL_GENERATION = 22;
const REBALANCE_IN_PROGRESS = 27;
const MEMBER_ID_REQUIRED = 79;
/** A join is answered when all members are there. */
const BEYOND_REBALANCE_MS = 10_000;
const AGAIN_AFTER_MS = 100;

type JoinAnswer = Awaited<ReturnType<typeof kafka.joinGroupV9.api.async>>;

/**
 * The classic protocol with cooperative rebalances: what a member keeps it goes on reading while the group rebalances, and what moves is given up by its owner in
 * one round and assigned to another in the next.
 */
export class ClassicGroup implements Membership {
  readonly #context: MembershipContext;
  readonly #doing: string;
  #memberId = '';
  #generation = -1;
  /** What the group gave this member, whether or not whoever reads was told already. */
  #owned: readonly TopicPartition[] = [];
  #topics: readonly string[] = [];
  /** Of the leader: the partitions that were there to assign. */
  #counts: ReadonlyMap<string, number> | null = null;
  /** Resolves when the round under way has ended. */
  #round: Promise<unknown> | null = null;
  #isLost = false;
  #mustRejoin = false;
  readonly #rouser = new Rouser();

  constructor(context: MembershipContext) {
    this.#context = context;
    this.#doing = `being a member of group ${JSON.stringify(context.options.group)}`;
  }

  get generation(): GroupGeneration | null {
    const { group, instanceId } = this.#context.options;
    return this.#generation < 0 ? null : { group, generation: this.#generation, memberId: this.#memberId, instanceId };
  }

  async run(): Promise<void> {
    void watchTopics(this.#context, () => this.#look());
    for (;;) {
      if (this.#isLost) await this.#lose();
      const assigned = await this.#joinAndSync();
      if (assigned !== null) await this.#live(assigned);
    }
  }

  async commit(offsets: readonly (TopicPartition & { readonly next: number })[]): Promise<void> {
    const { cluster, holdings, options } = this.#context;
    for (;;) {
      const gone = offsets.filter(({ topic, partition }) => !holdings.has(topic, partition));
      const member = this.generation;
      if (gone.length > 0 || member === null) throw rebalanced(options.group, gone);
      const code = await patiently(this.#context, this.#doing, () => saveOffsets(cluster, member, offsets));
      if (code === 0) return;
      if (code === FENCED_INSTANCE_ID) throw protocolError(code, this.#doing);
      if (this.#round !== null) await this.#round;
      else if (code === REBALANCE_IN_PROGRESS) await cluster.clock.sleep(AGAIN_AFTER_MS, this.#context.signal);
      else if (this.#generation === member.generation) {
        this.#loseBy(code);
        throw rebalanced(options.group, offsets);
      }
    }
  }

  async leave(): Promise<void> {
    const { cluster, options } = this.#context;
    const { group, instanceId } = options;
    if (instanceId !== null || this.#memberId === '') return;
    const broker = await cluster.connection({ coordinator: 'group', key: group });
    const member = { memberId: this.#memberId, groupInstanceId: null, reason: 'closed' };
    await broker.call(leaveApis, group, [member]);
  }

  /** Null: to be done again. */
  async #joinAndSync(): Promise<readonly TopicPartition[] | null> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#round = promise;
    try {
      const joined = await this.#join();
      return joined === null ? null : await this.#sync(joined);
    } finally {
      this.#round = null;
      resolve(undefined);
    }
  }

  async #join(): Promise<JoinAnswer | null> {
    const { cluster, options, signal, lane, tuning } = this.#context;
    const { group, sessionTimeoutMs, instanceId } = options;
    this.#mustRejoin = false;
    this.#topics = await subscribedTopics(this.#context);
    const metadata = encodeSubscription(this.#topics, byTopic(this.#owned), this.#generation);
    const protocols = [{ name: ASSIGNOR, metadata }];
    const requestTimeoutMs = tuning.rebalanceMs + BEYOND_REBALANCE_MS;
    return patiently(this.#context, `joining group ${JSON.stringify(group)}`, async () => {
      const broker = await cluster.connection({ coordinator: 'group', key: group }, { lane, requestTimeoutMs, signal });
      const join = (): Promise<JoinAnswer> => {
        const request = [group, sessionTimeoutMs, tuning.rebalanceMs, this.#memberId, instanceId] as const;
        return abortable(broker.call(joinApis, ...request, PROTOCOL_TYPE, protocols, null), signal);
      };
      let answer = await join();
      if (answer.errorCode === MEMBER_ID_REQUIRED) {
        this.#memberId = answer.memberId;
        answer = await join();
      }
      if (await this.#isAbout(answer.errorCode)) return null;
      throwOnCode(answer.errorCode, `joining group ${JSON.stringify(group)}`);
      this.#memberId = answer.memberId;
      this.#generation = answer.generationId;
      return answer;
    });
  }

  async #sync(joined: JoinAnswer): Promise<readonly TopicPartition[] | null> {
    const { cluster, options, signal, lane, tuning } = this.#context;
    const { group, instanceId } = options;
    const assignments = await this.#assign(joined);
    const requestTimeoutMs = tuning.rebalanceMs + BEYOND_REBALANCE_MS;
    return patiently(this.#context, `joining group ${JSON.stringify(group)}`, async () => {
      const broker = await cluster.connection({ coordinator: 'group', key: group }, { lane, requestTimeoutMs, signal });
      const member = [group, this.#generation, this.#memberId, instanceId] as const;
      const request = broker.call(syncApis, ...member, PROTOCOL_TYPE, joined.protocolName ?? ASSIGNOR, assignments);
      const { errorCode, assignment } = await abortable(request, signal);
      if (await this.#isAbout(errorCode)) return null;
      throwOnCode(errorCode, `joining group ${JSON.stringify(group)}`);
      return [...decodeAssignment(assignment)].flatMap(([topic, partitions]) =>
        partitions.map((partition) => ({ topic, partition })),
      );
    });
  }

  /** The leader's work; nobody else assigns anything, nor does a static leader that came back to a group which is as it was. */
  async #assign(joined: JoinAnswer): Promise<{ memberId: string; assignment: Buffer }[]> {
    this.#counts = null;
    if (joined.leader !== joined.memberId) return [];
    const members = joined.members.map(({ memberId, metadata }) => decodeSubscription(memberId, metadata));
    const topics = [...new Set(members.flatMap(({ topics: names }) => names))];
    this.#counts = await this.#partitionCounts(topics);
    // Brokers before 3.2 do not send it.
    if ((joined.skipAssignment as boolean | undefined) === true) return [];
    const assignment = assignPartitions(members, this.#counts);
    return [...assignment].map(([memberId, assigned]) => ({ memberId, assignment: encodeAssignment(assigned) }));
  }

  async #partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = topics.length === 0 ? [] : await this.#context.cluster.metadata.list(topics, this.#context.signal);
    return new Map(topics.map((topic) => [topic, found.find(({ name }) => name === topic)?.partitions.length ?? 0]));
  }

  /** Does the code concern the membership? Then it is dealt with, and the next round begins. */
  async #isAbout(code: number): Promise<boolean> {
    if (code === REBALANCE_IN_PROGRESS) await this.#context.cluster.clock.sleep(AGAIN_AFTER_MS, this.#context.signal);
    else if (code === UNKNOWN_MEMBER_ID || code === ILLEGAL_GENERATION) this.#loseBy(code);
    else return false;
    return true;
  }

  #loseBy(code: number): void {
    if (code === UNKNOWN_MEMBER_ID) this.#memberId = '';
    this.#isLost = true;
    this.#rouser.rouse();
  }

  async #lose(): Promise<void> {
    this.#isLost = false;
    this.#generation = -1;
    this.#owned = [];
    await this.#context.holdings.loseAll();
  }

  /** From one round to the next: gives up, takes, and says that it lives, all at once. */
  async #live(assigned: readonly TopicPartition[]): Promise<void> {
    const { holdings, signal } = this.#context;
    const ending = new AbortController();
    const beating = this.#beat(AbortSignal.any([signal, ending.signal]));
    const taking = new AbortController();
    const stopTaking = (): void => {
      taking.abort();
    };
    beating.then(stopTaking, stopTaking);
    try {
      this.#owned = assigned;
      const gone = without(holdings.all, assigned);
      await holdings.giveUp(gone);
      await this.#take(without(assigned, holdings.all), taking.signal);
      // What was given up is assigned in the next round, which begins now.
      if (gone.length === 0) await beating;
    } finally {
      ending.abort();
    }
  }

  async #take(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([this.#context.signal, signal]);
    const context = { ...this.#context, signal: either };
    try {
      const saved = await patiently(context, this.#doing, () => withSaved(context, partitions, null));
      if (!either.aborted) this.#context.holdings.take(saved);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Until the group rebalances, or goes on without this member. */
  async #beat(signal: AbortSignal): Promise<void> {
    const { options } = this.#context;
    for (;;) {
      await this.#rouser.sleep(this.#context.cluster.clock, options.heartbeatMs, signal);
      if (this.#isLost || this.#mustRejoin) return;
      const code = await patiently({ ...this.#context, signal }, this.#doing, () => this.#heartbeat(signal));
      if (code === REBALANCE_IN_PROGRESS) return;
      if (code === UNKNOWN_MEMBER_ID || code === ILLEGAL_GENERATION) {
        this.#loseBy(code);
        return;
      }
    }
  }

  async #heartbeat(signal: AbortSignal): Promise<number> {
    const { cluster, options, lane } = this.#context;
    const { group, instanceId, sessionTimeoutMs } = options;
    const wish = { lane: heartbeatLane(lane), requestTimeoutMs: sessionTimeoutMs, signal };
    const broker = await cluster.connection({ coordinator: 'group', key: group }, wish);
    const { errorCode } = await broker.call(heartbeatApis, group, this.#generation, this.#memberId, instanceId);
    const isExpected = [REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION].includes(errorCode);
    if (!isExpected) throwOnCode(errorCode, this.#doing);
    return errorCode;
  }

  /** New topics that fit the pattern, and more partitions to assign, need another round. */
  async #look(): Promise<void> {
    const isPattern = 'pattern' in this.#context.options.topics;
    const topics = isPattern ? await subscribedTopics(this.#context) : this.#topics;
    const counts = this.#counts === null ? null : await this.#partitionCounts([...this.#counts.keys()]);
    if (isSame(topics, this.#topics) && (counts === null || this.#areSame(counts))) return;
    this.#mustRejoin = true;
    this.#rouser.rouse();
  }

  #areSame(counts: ReadonlyMap<string, number>): boolean {
    return [...counts].every(([topic, count]) => (this.#counts?.get(topic) ?? count) === count);
  }
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name, index) => name === right[index]);
}

function byTopic(partitions: readonly TopicPartition[]): ReadonlyMap<string, readonly number[]> {
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  return new Map([...topics].map(([topic, ofTopic]) => [topic, ofTopic.map(({ partition }) => partition)]));
}
