import { randomUUID } from 'node:crypto';
import { kafka } from './package.ts';
import type { GroupGeneration } from '../client.ts';
import { KafkaError, protocolError, ProtocolError, throwOnCode } from '../common/errors.ts';
import { kafkaError } from './errors.ts';
import { saveOffsets, type TopicPartition } from './group-offsets.ts';
import {
  FENCED_INSTANCE_ID,
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

const FENCED_MEMBER_EPOCH = 110;
const UNRELEASED_INSTANCE_ID = 111;
const STALE_MEMBER_EPOCH = 113;
const UNSUPPORTED_VERSION = 35;
const JOINS = 0;
const LEAVES = -1;
/** Of a static member: its partitions are kept for it until the session time-out. */
const LEAVES_FOR_A_WHILE = -2;
const API_VERSION = 1;
const AGAIN_AFTER_MS = 200;

type Heartbeat = Awaited<ReturnType<typeof kafka.consumerGroupHeartbeatV1.api.async>>;
type Target = NonNullable<Heartbeat['assignment']>['topicPartitions'];

interface OwnedPartition extends TopicPartition {
  readonly topicId: string;
}

/**
 * The protocol of KIP-848: the coordinator assigns, and each heartbeat tells it what this member has. What shall go is given up first, then said to be gone; what comes
 * is taken as soon as nobody else has it any more, which the coordinator sees to.
 */
export class ConsumerGroup implements Membership {
  readonly #context: MembershipContext;
  readonly #doing: string;
  readonly #memberId = randomUUID();
  #epoch = JOINS;
  #isMember = false;
  #owned: readonly OwnedPartition[] = [];
  #topics: readonly string[] = [];
  #target: Target | null = null;
  #reconciling: Promise<void> | null = null;
  #fault: Error | null = null;
  readonly #rouser = new Rouser();

  constructor(context: MembershipContext) {
    this.#context = context;
    this.#doing = `being a member of group ${JSON.stringify(context.options.group)}`;
  }

  get generation(): GroupGeneration | null {
    const { group, instanceId } = this.#context.options;
    return this.#isMember ? { group, generation: this.#epoch, memberId: this.#memberId, instanceId } : null;
  }

  async run(): Promise<void> {
    if ('pattern' in this.#context.options.topics) void watchTopics(this.#context, () => this.#look());
    for (;;) {
      this.#topics = await subscribedTopics(this.#context);
      await this.#live();
      this.#isMember = false;
      this.#epoch = JOINS;
      this.#owned = [];
      this.#target = null;
      // Nobody is told twice that a partition goes.
      await this.#reconciling;
      await this.#context.holdings.loseAll();
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
      if (code !== STALE_MEMBER_EPOCH) throw rebalanced(options.group, offsets);
      // The next heartbeat tells the newest epoch.
      this.#rouser.rouse();
      await cluster.clock.sleep(AGAIN_AFTER_MS, this.#context.signal);
    }
  }

  async leave(): Promise<void> {
    if (!this.#isMember) return;
    const { cluster, options } = this.#context;
    const { group, instanceId } = options;
    const broker = await cluster.connection({ coordinator: 'group', key: group });
    const epoch = instanceId === null ? LEAVES : LEAVES_FOR_A_WHILE;
    const request = [group, this.#memberId, epoch, instanceId, null, -1, null, null, null, null] as const;
    await broker.call([kafka.consumerGroupHeartbeatV1.api], ...request);
  }

  /** Until the group goes on without this member. */
  async #live(): Promise<void> {
    const { cluster, signal } = this.#context;
    for (;;) {
      const answer = await patiently(this.#context, this.#doing, () => this.#heartbeat());
      if (answer === null) return;
      this.#epoch = answer.memberEpoch;
      this.#isMember = true;
      if (answer.assignment !== null) this.#target = answer.assignment.topicPartitions;
      this.#reconcile();
      await this.#rouser.sleep(cluster.clock, answer.heartbeatIntervalMs, signal);
      if (this.#fault !== null) throw this.#fault;
    }
  }

  /** All is said each time, so that a lost answer does no harm. Null: fenced. */
  async #heartbeat(): Promise<Heartbeat | null> {
    const { cluster, options, lane, signal, tuning } = this.#context;
    const { group, instanceId } = options;
    const broker = await cluster.connection({ coordinator: 'group', key: group }, { lane, signal });
    if (!broker.speaks('ConsumerGroupHeartbeat', API_VERSION)) throw unsupported(group);
    const member = [group, this.#memberId, this.#epoch, instanceId, null, tuning.rebalanceMs] as const;
    const owned = [...Map.groupBy(this.#owned, ({ topicId }) => topicId)].map(([topicId, ofTopic]) => ({
      topicId,
      partitions: ofTopic.map(({ partition }) => partition),
    }));
    const topics = [...this.#topics];
    const answer = await broker.call([kafka.consumerGroupHeartbeatV1.api], ...member, topics, null, null, owned);
    const { errorCode, errorMessage } = answer;
    if (errorCode === FENCED_MEMBER_EPOCH || errorCode === UNKNOWN_MEMBER_ID) return null;
    if (errorCode === UNSUPPORTED_VERSION) throw unsupported(group);
    if (errorCode === UNRELEASED_INSTANCE_ID) {
      // One that was killed is let go of after the session time-out.
      const matter = `another member uses the instance id ${JSON.stringify(instanceId)}, or did until a moment ago`;
      throw new KafkaError('KAFKA_REFUSED', 'retry', this.#doing, matter);
    }
    throwOnCode(errorCode, this.#doing, errorMessage);
    return answer;
  }

  /** Beside the heartbeats, for giving up takes as long as whoever reads needs. */
  #reconcile(): void {
    if (this.#reconciling !== null || this.#target === null) return;
    this.#reconciling = this.#towardsTarget()
      .catch((error: unknown) => {
        // An epoch that went on meanwhile: with the next heartbeat it is tried again.
        const isStale = error instanceof ProtocolError && error.protocolCode === STALE_MEMBER_EPOCH;
        if (this.#isMember && !isStale && !this.#context.signal.aborted) this.#fault = kafkaError(error, this.#doing);
      })
      .finally(() => {
        this.#reconciling = null;
        this.#rouser.rouse();
      });
  }

  async #towardsTarget(): Promise<void> {
    const { holdings } = this.#context;
    const wanted = this.#target!;
    const target = await this.#named(wanted);
    const kept = this.#owned.filter((own) => target.some((other) => isSame(own, other)));
    if (kept.length < this.#owned.length) {
      const gone = without(this.#owned, kept);
      await holdings.giveUp(holdings.all.filter((held) => without([held], gone).length === 0));
      if (this.#isMember) this.#owned = kept;
      return;
    }
    const added = target.filter((other) => !this.#owned.some((own) => isSame(own, other)));
    if (added.length === 0) {
      if (this.#target === wanted) this.#target = null;
      return;
    }
    const member = this.generation;
    const saved = await patiently(this.#context, this.#doing, () => withSaved(this.#context, added, member));
    if (!this.#isMember) return;
    this.#owned = [...this.#owned, ...added];
    holdings.take(saved);
  }

  /** Of topics that are gone already nothing is taken. */
  async #named(target: Target): Promise<readonly OwnedPartition[]> {
    const { cluster, signal } = this.#context;
    const { metadata } = cluster;
    if (target.some(({ topicId }) => metadata.nameOf(topicId) === null)) await metadata.list(this.#topics, signal);
    return target.flatMap(({ topicId, partitions }) => {
      const topic = metadata.nameOf(topicId);
      return topic === null ? [] : partitions.map((partition) => ({ topic, topicId, partition }));
    });
  }

  /** Which topics fit the pattern now. Their partitions the coordinator watches. */
  async #look(): Promise<void> {
    const topics = await subscribedTopics(this.#context);
    if (topics.join() === this.#topics.join()) return;
    this.#topics = topics;
    this.#rouser.rouse();
  }
}

function isSame(left: OwnedPartition, right: OwnedPartition): boolean {
  return left.topicId === right.topicId && left.partition === right.partition;
}

function unsupported(group: string): KafkaError {
  const matter = 'the brokers do not offer `group_protocol: consumer`, which needs Kafka 4.0 with group.version 1';
  return new KafkaError('KAFKA_UNSUPPORTED', 'fatal', `joining group ${JSON.stringify(group)}`, matter);
}
