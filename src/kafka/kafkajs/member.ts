import { SluiceError } from '../../api/index.ts';
import { abortable } from '../common/abortable.ts';
import { backOff } from '../common/back-off.ts';
import { Waiting } from '../common/waiting.ts';
import type { GroupGeneration, KafkaEvent, KafkaMember, KafkaTopicPartition, MemberOptions } from '../client.ts';
import type { KafkajsCluster } from './cluster.ts';
import { isCode, asSluiceError } from './errors.ts';
import {
  commitOffsets,
  dealRoundRobin,
  fetchOffsets,
  heartbeat,
  joinGroup,
  leaveGroup,
  syncGroup,
  type Joined,
  type Membership,
  type SavedOffset,
  type TopicPartitions,
} from './group.ts';
import { KafkajsReader } from './reader.ts';

/** How long the others wait for this member to give up its partitions; the engine takes 10 s at most. */
const REBALANCE_TIMEOUT_MS = 30_000;
/** How often topics and numbers of partitions are looked at. */
const TOPICS_EVERY_MS = 5000;
const LEAVE_WITHIN_MS = 2000;

const ILLEGAL_GENERATION = 22;
const UNKNOWN_MEMBER_ID = 25;
const REBALANCE_IN_PROGRESS = 27;
const FENCED_INSTANCE_ID = 82;

const OUTSIDER: Membership = { generation: -1, memberId: '' };

/**
 * A member of a classic group that gives up all its partitions at each rebalance, in a loop of its own: kafkajs' consumer gives up on coordinators that move,
 * and asks for new partitions before the old ones are settled.
 */
export class KafkajsMember implements KafkaMember {
  readonly #cluster: KafkajsCluster;
  readonly #options: MemberOptions;
  readonly #lane: string;
  readonly #reader: KafkajsReader;
  readonly #waiting: Waiting;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #membership: Membership = OUTSIDER;
  #isAssigned = false;
  /** Assigned, or being given up. */
  #owned: readonly KafkaTopicPartition[] = [];
  /** What the last join was made with. */
  #subscribed: readonly string[] = [];
  /** Of the leader: the numbers of partitions that it dealt out. */
  #dealtCounts: ReadonlyMap<string, number> | null = null;

  constructor(cluster: KafkajsCluster, options: MemberOptions, lane: string) {
    this.#cluster = cluster;
    this.#options = options;
    this.#lane = lane;
    this.#waiting = new Waiting(cluster.clock, () => undefined);
    this.#reader = new KafkajsReader(cluster, options, `${lane}-fetch`);
    cluster.closed.addEventListener('abort', () => void this.close(), { once: true, signal: this.#closing.signal });
    this.#running = this.#run();
  }

  get waitingFor(): string | null {
    return this.#waiting.reason ?? this.#reader.waitingFor;
  }

  get generation(): GroupGeneration | null {
    if (!this.#isAssigned) return null;
    return { group: this.#options.group, ...this.#membership, instanceId: null };
  }

  generationOf(partitions: readonly { readonly topic: string; readonly partition: number }[]): GroupGeneration | null {
    return partitions.every(({ topic, partition }) => this.#owns(topic, partition)) ? this.generation : null;
  }

  next(signal: AbortSignal): Promise<KafkaEvent | null> {
    return this.#reader.next(signal);
  }

  seek(topic: string, partition: number, offset: number): void {
    if (this.#owns(topic, partition)) this.#reader.seek(topic, partition, offset);
  }

  pause(topic: string, partition: number): void {
    this.#reader.pause(topic, partition);
  }

  resume(topic: string, partition: number): void {
    this.#reader.resume(topic, partition);
  }

  end(topic: string, partition: number): number {
    return this.#reader.end(topic, partition);
  }

  async commit(offsets: readonly SavedOffset[]): Promise<void> {
    const { group } = this.#options;
    const doing = `saving offsets of group ${JSON.stringify(group)}`;
    const foreign = offsets.find(({ topic, partition }) => !this.#owns(topic, partition));
    if (foreign !== undefined) {
      const which = `topic ${JSON.stringify(foreign.topic)} partition ${foreign.partition}`;
      throw new SluiceError('KAFKA_REBALANCED', `${doing}: ${which} is not this member's`);
    }
    if (offsets.length === 0) return;
    const membership = this.#membership;
    const attempt = async (signal: AbortSignal): Promise<void> => {
      const broker = await this.#cluster.connection({ group }, 'control', signal);
      await commitOffsets(broker, { group, membership, offsets });
    };
    await this.#cluster.retrying(doing, attempt, { signal: this.#closing.signal, waiting: this.#waiting });
  }

  async close(): Promise<void> {
    const isFirst = !this.#isClosing();
    this.#closing.abort(new SluiceError('KAFKA_CLOSED', 'reading from Kafka: the member was closed'));
    await this.#running;
    if (isFirst) await this.#leave();
    await this.#reader.close();
    await this.#cluster.closeLane(this.#lane);
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isClosing();) {
      try {
        await this.#takePart();
        failures = 0;
      } catch (error) {
        failures = this.#isExpected(error) ? 0 : failures + 1;
        if (!this.#isClosing()) await this.#endGeneration(error, failures);
      }
    }
  }

  #isExpected(error: unknown): boolean {
    return isCode(error, REBALANCE_IN_PROGRESS) || this.#isLost(error);
  }

  #isLost(error: unknown): boolean {
    return isCode(error, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID);
  }

  async #endGeneration(error: unknown, failures: number): Promise<void> {
    const isLost = this.#isLost(error);
    if (isLost) this.#membership = OUTSIDER;
    if (failures > 0) {
      const known = asSluiceError(error, `taking part in group ${JSON.stringify(this.#options.group)}`);
      if (known.retryable) this.#cluster.forgetAfter(known);
      else this.#reader.fail(known);
    }
    await this.#giveUp(isLost);
    // Rejects when it is closed meanwhile, which ends the loop.
    if (failures > 0) await this.#cluster.clock.sleep(backOff(failures), this.#closing.signal).catch(() => undefined);
  }

  /** One generation, from the join until a rebalance. */
  async #takePart(): Promise<void> {
    this.#subscribed = await this.#wantedTopics();
    const joined = await this.#join();
    this.#membership = { generation: joined.generation, memberId: joined.memberId };
    const assigned = await this.#sync(joined);
    await this.#announce(assigned);
    await this.#stay();
    await this.#giveUp(false);
  }

  #join(): Promise<Joined> {
    const { group, sessionTimeoutMs } = this.#options;
    return this.#retrying('joining', async (signal) => {
      const broker = await this.#cluster.connection({ group }, this.#lane, signal);
      const rebalanceTimeoutMs = Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs);
      const { memberId } = this.#membership;
      const request = { group, memberId, topics: this.#subscribed, sessionTimeoutMs, rebalanceTimeoutMs };
      return joinGroup(broker, await this.#cluster.library(), request);
    });
  }

  async #sync(joined: Joined): Promise<readonly TopicPartitions[]> {
    const { group } = this.#options;
    this.#dealtCounts = joined.members === null ? null : await this.#countPartitions(joined.members);
    const dealt = joined.members === null ? null : dealRoundRobin(joined.members, this.#dealtCounts!);
    const broker = await this.#cluster.connection({ group }, this.#lane, this.#closing.signal);
    const library = await this.#cluster.library();
    return abortable(syncGroup(broker, library, { group, membership: joined, dealt }), this.#closing.signal);
  }

  async #announce(assigned: readonly TopicPartitions[]): Promise<void> {
    const { group } = this.#options;
    const saved = await this.#retrying('reading the offsets of', async (signal) => {
      if (assigned.length === 0) return [];
      const broker = await this.#cluster.connection({ group }, 'control', signal);
      return fetchOffsets(broker, await this.#cluster.library(), { group, wanted: assigned });
    });
    const committed = new Map(saved.map(({ topic, partition, next }) => [`${partition} ${topic}`, next]));
    const partitions: (KafkaTopicPartition & { committed: number | null })[] = [];
    for (const { topic, partitions: numbers } of assigned) {
      const { incarnation } = await this.#cluster.topic(topic, { signal: this.#closing.signal });
      for (const partition of numbers)
        partitions.push({ topic, partition, incarnation, committed: committed.get(`${partition} ${topic}`) ?? null });
    }
    this.#owned = partitions.map(({ topic, partition, incarnation }) => ({ topic, partition, incarnation }));
    this.#isAssigned = true;
    this.#reader.say({ type: 'assigned', partitions });
  }

  /** Returns when it is time to join again. */
  async #stay(): Promise<void> {
    const { clock } = this.#cluster;
    let lookedAt = clock.monotonic();
    for (;;) {
      await clock.sleep(this.#options.heartbeatMs, this.#closing.signal);
      if (!(await this.#beat())) return;
      if (clock.monotonic() - lookedAt < TOPICS_EVERY_MS) continue;
      lookedAt = clock.monotonic();
      if (await this.#haveTopicsChanged()) return;
    }
  }

  /** False: the group rebalances. Rejects when it went on without this member. */
  async #beat(): Promise<boolean> {
    const { group } = this.#options;
    try {
      await this.#retrying('keeping the membership of', async (signal) => {
        const broker = await this.#cluster.connection({ group }, this.#lane, signal);
        await heartbeat(broker, group, this.#membership);
      });
      return true;
    } catch (error) {
      if (isCode(error, REBALANCE_IN_PROGRESS)) return false;
      throw error;
    }
  }

  /** Says that all partitions are revoked and waits until they are settled, as long as the group waits for it. */
  async #giveUp(isLost: boolean): Promise<void> {
    if (!this.#isAssigned) return;
    this.#isAssigned = false;
    const partitions = this.#owned;
    for (const { topic, partition } of partitions) this.#reader.forget(topic, partition);
    if (isLost) this.#owned = [];
    const settled = new AbortController();
    const done = (): void => {
      settled.abort();
    };
    if (partitions.length === 0) done();
    else this.#reader.say({ type: 'revoked', partitions, isLost, done }, done);
    const until = this.#cluster.clock.monotonic() + REBALANCE_TIMEOUT_MS;
    const either = AbortSignal.any([settled.signal, this.#closing.signal]);
    const isOver = (): boolean => either.aborted || this.#cluster.clock.monotonic() >= until;
    while (!isOver()) {
      await this.#cluster.clock.sleep(this.#options.heartbeatMs, either).catch(() => undefined);
      // The old generation lives on until this member joins the next one.
      if (!isOver() && !isLost) await this.#beat().catch(() => false);
    }
    this.#owned = [];
  }

  async #wantedTopics(): Promise<readonly string[]> {
    const { topics } = this.#options;
    if (!('pattern' in topics)) return topics;
    const { topics: all } = await this.#retrying('looking for topics of', (signal) => this.#cluster.ask(null, signal));
    return all
      .filter(({ name, isInternal }) => !isInternal && topics.pattern.test(name))
      .map(({ name }) => name)
      .sort();
  }

  async #countPartitions(members: NonNullable<Joined['members']>): Promise<ReadonlyMap<string, number>> {
    const names = [...new Set(members.flatMap(({ topics }) => topics))];
    if (names.length === 0) return new Map();
    const { topics } = await this.#retrying('looking up topics of', (signal) => this.#cluster.ask(names, signal));
    return new Map(
      topics.filter(({ errorCode }) => errorCode === 0).map(({ name, partitions }) => [name, partitions.length]),
    );
  }

  async #haveTopicsChanged(): Promise<boolean> {
    const wanted = await this.#wantedTopics();
    if (wanted.join() !== this.#subscribed.join()) return true;
    if (this.#dealtCounts === null) return false;
    const names = [...new Set([...this.#subscribed, ...this.#dealtCounts.keys()])];
    const now = await this.#countPartitions([{ memberId: '', topics: names }]);
    return names.some((name) => now.get(name) !== this.#dealtCounts?.get(name));
  }

  async #leave(): Promise<void> {
    const { group } = this.#options;
    const { memberId } = this.#membership;
    if (memberId === '' || this.#cluster.closed.aborted) return;
    try {
      const within = AbortSignal.any([AbortSignal.timeout(LEAVE_WITHIN_MS), this.#cluster.closed]);
      const broker = await this.#cluster.connection({ group }, 'control', within);
      await abortable(leaveGroup(broker, group, memberId), within);
    } catch (error) {
      const { message } = asSluiceError(error, `leaving group ${JSON.stringify(group)}`);
      this.#cluster.log.debug({ group, reason: message }, 'left a consumer group without a word');
    }
  }

  #retrying<R>(what: string, attempt: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const doing = `${what} group ${JSON.stringify(this.#options.group)}`;
    return this.#cluster.retrying(doing, attempt, { signal: this.#closing.signal, waiting: this.#waiting });
  }

  #owns(topic: string, partition: number): boolean {
    return this.#owned.some((owned) => owned.topic === topic && owned.partition === partition);
  }
}
