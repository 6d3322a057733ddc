import { SluiceError } from '../../api/index.ts';
import { backOff } from '../common/back-off.ts';
import type { Cluster } from './cluster.ts';
import { KafkaError } from '../common/errors.ts';
import { UNKNOWN_TO_WRITERS_MS } from '../common/unknown-topic.ts';
import { kafkaError } from './errors.ts';
import { ProduceLane } from './produce-lane.ts';
import type { ProduceOutcome } from './produce-outcome.ts';
import type { ProduceApi } from './produce-request.ts';
import { ProducerBatch } from './producer-batch.ts';
import { ProducerPartition, type ProducerIdentity } from './producer-partition.ts';
import { ProducerTroubles } from './producer-troubles.ts';

/** So many requests in a row, each of which may wait for its replicas, have to be answered before the time-out of the first. */
const REQUESTS_IN_A_ROW = 6;
const LANE = 'produce';

/** The `KAFKA_CLOSED` of what waits in a producer. */
export function producerClosed(): SluiceError {
  return new SluiceError('KAFKA_CLOSED', 'producing: the producer is closed');
}

/** What the two kinds of producer do differently. */
interface ProducePolicy {
  /** As whom a partition that was not written to yet begins. */
  identity(): ProducerIdentity;
  /** True: partitions that came to a stop stay there, since what they hold is about to be abandoned. */
  isStopped(): boolean;
  /** Before a partition departs that was held. */
  admit(partition: ProducerPartition): Promise<void>;
  /** The broker does not take the sequence or the identity. */
  onLost(partition: ProducerPartition, error: KafkaError, isIdLost: boolean): void;
  onRefused(error: SluiceError): void;
  /** Something landed. */
  onLanded(): void;
  /** Another id in place of `lost`. */
  newIdentity(lost: ProducerIdentity): Promise<ProducerIdentity>;
}

export interface ProduceEngineOptions {
  readonly cluster: Cluster;
  readonly policy: ProducePolicy;
  readonly transactionalId: string | null;
  readonly apis: readonly ProduceApi[];
  readonly signal: AbortSignal;
}

/** Brings batches to the leaders of their partitions, however often those move. */
export class ProduceEngine {
  readonly #options: ProduceEngineOptions;
  readonly #partitions = new Map<string, ProducerPartition[]>();
  /** By broker. */
  readonly #lanes = new Map<number, ProduceLane>();
  /** Where the partitions are written; absent: to be looked up. */
  readonly #nodes = new Map<ProducerPartition, number>();
  readonly #recovering = new Set<ProducerPartition>();
  readonly #troubles: ProducerTroubles;
  /** Counts what changes under which conditions everything goes on. */
  #round = 0;

  constructor(options: ProduceEngineOptions) {
    this.#options = options;
    this.#troubles = new ProducerTroubles(options.cluster.clock, () => options.cluster.beginWait());
  }

  send(topic: string, partition: number, bytes: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      const owner = this.#partitionOf(topic, partition);
      owner.push(new ProducerBatch(owner, bytes, { resolve, reject }));
      this.#advance(owner);
    });
  }

  /** Nothing waits, and nothing flies. */
  get isQuiet(): boolean {
    for (const partition of this.#all()) if (!partition.isEmpty || partition.flying > 0) return false;
    return true;
  }

  get waitingFor(): string | null {
    if (this.#troubles.reason !== null) return this.#troubles.reason;
    for (const lane of this.#lanes.values()) if (lane.waitingFor !== null) return lane.waitingFor;
    return this.#recovering.size > 0 ? this.#options.cluster.waitingFor : null;
  }

  abandon(error: Error): void {
    this.#round++;
    for (const partition of this.#all()) partition.abandon(error);
    this.#troubles.clear();
  }

  /** Everything goes on under this identity, once it is admitted. Nothing may fly. */
  restart(identity: ProducerIdentity): void {
    this.#round++;
    for (const partition of this.#all()) {
      partition.renew(identity);
      partition.hold();
    }
  }

  /** Each partition is admitted again before it goes on. Nothing may fly. */
  holdAll(): void {
    this.#round++;
    for (const partition of this.#all()) partition.hold();
  }

  *#all(): Generator<ProducerPartition> {
    for (const partitions of this.#partitions.values()) yield* partitions.filter(Boolean);
  }

  #partitionOf(topic: string, number: number): ProducerPartition {
    let partitions = this.#partitions.get(topic);
    if (partitions === undefined) this.#partitions.set(topic, (partitions = []));
    const { policy, transactionalId } = this.#options;
    return (partitions[number] ??= new ProducerPartition(topic, number, policy.identity(), transactionalId !== null));
  }

  #laneOf(node: number): ProduceLane {
    let lane = this.#lanes.get(node);
    if (lane !== undefined) return lane;
    const { cluster, apis, transactionalId, signal } = this.#options;
    lane = new ProduceLane({
      node,
      connect: () => cluster.connection({ node }, { lane: LANE, signal }),
      apis,
      transactionalId,
      timeoutMs: Math.floor(cluster.settings.client.request_timeout / REQUESTS_IN_A_ROW),
      clock: cluster.clock,
      signal,
      onLanded: (batch, outcome) => {
        this.#land(batch, outcome);
      },
      onUnreachable: (partition, error) => {
        this.#unreachable(partition, error);
      },
    });
    this.#lanes.set(node, lane);
    return lane;
  }

  #land(batch: ProducerBatch, outcome: ProduceOutcome): void {
    const { owner } = batch;
    const { policy } = this.#options;
    batch.land();
    switch (outcome.type) {
      case 'written':
        owner.written(batch, outcome.baseOffset);
        this.#troubles.end(owner);
        break;
      case 'again':
        owner.returned();
        this.#troubles.add(owner, outcome.reason, outcome.isTopicUnknown);
        if (outcome.lookUp) this.#lookUpAgain(owner);
        break;
      case 'sequence':
        if (owner.returnedOutOfSequence(outcome.isIdLost)) policy.onLost(owner, outcome.error, outcome.isIdLost);
        break;
      case 'refused':
        this.#troubles.end(owner);
        if (owner.refused(batch, outcome.error)) policy.onRefused(outcome.error);
    }
    this.#advance(owner);
    policy.onLanded();
  }

  #unreachable(partition: ProducerPartition, cause: unknown): void {
    const error = kafkaError(cause, `producing to topic ${JSON.stringify(partition.topic)}`);
    if (!error.retryable) {
      partition.abandon(error);
      this.#troubles.end(partition);
      this.#options.policy.onRefused(error);
    } else this.#troubles.add(partition, error instanceof KafkaError ? error.matter : error.message);
    partition.hold();
    this.#lookUpAgain(partition);
    this.#advance(partition);
  }

  #lookUpAgain(partition: ProducerPartition): void {
    this.#nodes.delete(partition);
    this.#options.cluster.metadata.invalidate(partition.topic);
  }

  #advance(partition: ProducerPartition): void {
    const node = this.#nodes.get(partition);
    if (node !== undefined && !partition.isHeld) this.#laneOf(node).offer(partition);
    else if (partition.flying === 0 && !partition.isEmpty) void this.#recover(partition);
  }

  async #recover(partition: ProducerPartition): Promise<void> {
    if (this.#recovering.has(partition)) return;
    this.#recovering.add(partition);
    try {
      while (!(await this.#tryAgain(partition)));
    } catch (error) {
      // At the end everything is abandoned, and there is nothing to refuse.
      if (this.#options.signal.aborted) return;
      const refusal = kafkaError(error, `producing to topic ${JSON.stringify(partition.topic)}`);
      partition.abandon(refusal);
      this.#troubles.end(partition);
      this.#options.policy.onRefused(refusal);
      this.#options.policy.onLanded();
    } finally {
      this.#recovering.delete(partition);
    }
  }

  /** True: it goes on, or has nothing to go on with. */
  async #tryAgain(partition: ProducerPartition): Promise<boolean> {
    const { policy, cluster, signal } = this.#options;
    const failures = this.#troubles.failures(partition);
    if (failures > 0) await cluster.clock.sleep(backOff(failures), signal);
    if (policy.isStopped() || partition.isEmpty) return true;
    const round = this.#round;
    partition.renew(partition.needsNewId ? await policy.newIdentity(partition.identity) : null);
    await policy.admit(partition);
    const node = this.#nodes.get(partition) ?? (await this.#leaderOf(partition));
    if (node === null || round !== this.#round) return false;
    this.#nodes.set(partition, node);
    partition.resume();
    this.#laneOf(node).offer(partition);
    return true;
  }

  /** Null: not at the moment. */
  async #leaderOf(partition: ProducerPartition): Promise<number | null> {
    const { cluster, signal } = this.#options;
    const { metadata } = cluster;
    const place = `partition ${partition.partition} of topic ${JSON.stringify(partition.topic)}`;
    try {
      const found = (await metadata.topic(partition.topic, signal)).partitions[partition.partition];
      if (found === undefined) throw new SluiceError('TOPIC_UNKNOWN', `looking up ${place}: it does not exist`);
      if (found.leader !== -1) return found.leader;
      this.#troubles.add(partition, `${place} has no leader`);
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'TOPIC_UNKNOWN') throw error;
      const { unknownSinceMs } = this.#troubles.add(partition, error.message, true);
      if (cluster.clock.monotonic() - unknownSinceMs! >= UNKNOWN_TO_WRITERS_MS) throw error;
    }
    metadata.invalidate(partition.topic);
    return null;
  }
}
