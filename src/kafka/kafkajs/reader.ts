import { SluiceError } from '../../api/index.ts';
import { abortable } from '../common/abortable.ts';
import { backOff } from '../common/back-off.ts';
import { EventQueue, type QueuedEvent } from '../common/event-queue.ts';
import { takeBatches } from '../common/take-batches.ts';
import { Waiting } from '../common/waiting.ts';
import type { KafkaEvent, KafkaReader, ReaderOptions } from '../client.ts';
import type { KafkajsCluster } from './cluster.ts';
import { protocolError, topicError } from '../common/errors.ts';
import { asSluiceError } from './errors.ts';
import { batchesOfMessages, fetchFrom, isMessageSet, type FetchedPartition } from './fetch.ts';
import { listOffsets } from './list-offsets.ts';
import { ReadPartition } from './read-partition.ts';

/** How long a broker holds a fetch that finds nothing. A partition that is sought meanwhile waits for its end. */
const MAX_WAIT_MS = 250;
const OFFSET_OUT_OF_RANGE = 1;
const LEADER_NOT_AVAILABLE = 5;
const OFFSET_NOT_AVAILABLE = 78;
/** After an error that waiting does not mend: somebody may mend it. */
const FAILED_AGAIN_MS = 1000;

/** Fetches by kafkajs' connections, one request at a time from each broker; of each partition one chunk waits to be taken. */
export class KafkajsReader implements KafkaReader {
  readonly #cluster: KafkajsCluster;
  readonly #options: ReaderOptions;
  readonly #lane: string;
  readonly #queue = new EventQueue();
  readonly #waiting: Waiting;
  readonly #closing = new AbortController();
  /** The one that was served longest ago comes first. */
  readonly #partitions = new Map<string, ReadPartition>();
  readonly #busyNodes = new Set<number>();
  readonly #learning = new Set<string>();
  readonly #tasks = new Set<Promise<void>>();
  #failure: QueuedEvent | null = null;

  constructor(cluster: KafkajsCluster, options: ReaderOptions, lane: string) {
    this.#cluster = cluster;
    this.#options = options;
    this.#lane = lane;
    this.#waiting = new Waiting(cluster.clock, () => undefined);
    cluster.closed.addEventListener('abort', () => void this.close(), { once: true, signal: this.#closing.signal });
  }

  get waitingFor(): string | null {
    return this.#waiting.reason;
  }

  next(signal: AbortSignal): Promise<KafkaEvent | null> {
    return this.#queue.next(signal);
  }

  seek(topic: string, partition: number, offset: number): void {
    if (this.#closing.signal.aborted) return;
    const key = keyOf(topic, partition);
    const known = this.#partitions.get(key) ?? new ReadPartition(topic, partition, this.#waiting);
    this.#partitions.set(key, known);
    known.seek(offset);
    this.#takeBack(known);
    this.#pump();
  }

  pause(topic: string, partition: number): void {
    const known = this.#partitions.get(keyOf(topic, partition));
    if (known === undefined) return;
    known.isPaused = true;
    this.#takeBack(known);
  }

  resume(topic: string, partition: number): void {
    const known = this.#partitions.get(keyOf(topic, partition));
    if (known === undefined) return;
    known.isPaused = false;
    this.#pump();
  }

  end(topic: string, partition: number): number {
    return this.#partitions.get(keyOf(topic, partition))?.end ?? 0;
  }

  /** Nothing more of it is fetched or handed out. */
  forget(topic: string, partition: number): void {
    const known = this.#partitions.get(keyOf(topic, partition));
    if (known === undefined) return;
    this.#partitions.delete(keyOf(topic, partition));
    known.seek(0);
    known.recovered();
    this.#takeBack(known);
  }

  /** Something that the reader of a group member has to say. */
  say(event: KafkaEvent, drop?: () => void): void {
    this.#queue.push({ take: () => event, ...(drop === undefined ? {} : { drop }) });
  }

  /** The next call of `next` rejects with it. */
  fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = {
      take: () => {
        this.#failure = null;
        throw error;
      },
    };
    this.#queue.push(this.#failure);
  }

  async close(): Promise<void> {
    const error = new SluiceError('KAFKA_CLOSED', 'reading from Kafka: the reader was closed');
    this.#closing.abort(error);
    this.#queue.end(error);
    await Promise.all(this.#tasks);
    await this.#cluster.closeLane(this.#lane);
  }

  #takeBack(partition: ReadPartition): void {
    if (partition.queued !== null) this.#queue.remove(partition.queued);
    partition.queued = null;
  }

  /** Starts what can be fetched and is not. */
  #pump(): void {
    if (this.#closing.signal.aborted) return;
    const byNode = new Map<number, ReadPartition[]>();
    for (const partition of this.#partitions.values()) {
      if (!partition.wantsFetch) continue;
      const topic = this.#cluster.known(partition.topic);
      const leader = topic?.partitions[partition.number]?.leader ?? -1;
      if (topic === null || leader < 0) {
        this.#learn(partition.topic);
        continue;
      }
      partition.identify(topic.incarnation);
      if (this.#busyNodes.has(leader)) continue;
      byNode.set(leader, [...(byNode.get(leader) ?? []), partition]);
    }
    for (const [node, partitions] of byNode) this.#begin(() => this.#fetch(node, partitions));
  }

  #begin(task: () => Promise<void>): void {
    const running = task();
    this.#tasks.add(running);
    void running.finally(() => {
      this.#tasks.delete(running);
      this.#pump();
    });
  }

  #learn(name: string): void {
    if (this.#learning.has(name)) return;
    this.#learning.add(name);
    this.#begin(async () => {
      try {
        const { clock } = this.#cluster;
        const options = { signal: this.#closing.signal, waiting: this.#waiting };
        const topic = await this.#cluster.topic(name, options);
        const wanted = [...this.#partitions.values()].filter((partition) => partition.topic === name);
        const isMissing = wanted.some((partition) => (topic.partitions[partition.number]?.leader ?? -1) < 0);
        if (!isMissing) return;
        for (const partition of wanted) partition.failed(`${partition.name} has no leader at the moment`);
        await clock.sleep(100, this.#closing.signal);
        this.#cluster.forgetAfter(
          topicError(LEADER_NOT_AVAILABLE, name, `finding the leaders of topic ${JSON.stringify(name)}`),
        );
      } catch (error) {
        this.#lost(name, error);
      } finally {
        this.#learning.delete(name);
      }
    });
  }

  #lost(name: string, error: unknown): void {
    if (this.#closing.signal.aborted) return;
    const partitions = [...this.#partitions.values()].filter((partition) => partition.topic === name);
    if (error instanceof SluiceError && error.code === 'TOPIC_UNKNOWN') {
      for (const partition of partitions) {
        partition.isStill = true;
        partition.recovered();
      }
      if (partitions.length > 0) this.say({ type: 'topic-changed', topic: name, incarnation: null });
      return;
    }
    for (const partition of partitions)
      this.#refused(partition, asSluiceError(error, `looking up topic ${JSON.stringify(name)}`));
  }

  async #fetch(node: number, partitions: readonly ReadPartition[]): Promise<void> {
    const signal = this.#closing.signal;
    const versions = new Map(partitions.map((partition) => [partition, partition.version]));
    this.#busyNodes.add(node);
    for (const partition of partitions) partition.isInFlight = true;
    try {
      const answers = await this.#ask(node, partitions);
      for (const partition of partitions) {
        const answer = answers.find((part) => part.topic === partition.topic && part.partition === partition.number);
        const isAsked = versions.get(partition) === partition.version && !partition.isPaused;
        if (answer !== undefined && isAsked) await this.#take(partition, answer);
      }
    } catch (error) {
      if (signal.aborted) return;
      const known = asSluiceError(error, `fetching from broker ${node}`);
      this.#cluster.forgetAfter(known);
      for (const partition of partitions) this.#refused(partition, known);
    } finally {
      this.#busyNodes.delete(node);
      for (const partition of partitions) partition.isInFlight = false;
    }
  }

  async #ask(node: number, partitions: readonly ReadPartition[]): Promise<readonly FetchedPartition[]> {
    const signal = this.#closing.signal;
    const { isolation, pool, fetchBytes } = this.#options;
    const maxBytes = Math.max(fetchBytes, ...partitions.map(({ neededBytes }) => neededBytes));
    // Without room for what comes nothing is asked for; it is not held meanwhile, for the answer may take long and be empty.
    (await pool.acquire(fetchBytes, signal)).release();
    const broker = await this.#cluster.connection({ node }, this.#lane, signal);
    const targets = partitions.map(({ topic, number, next }) => ({ topic, partition: number, offset: next }));
    const request = { isolation, maxWaitMs: MAX_WAIT_MS, maxBytes, targets };
    return abortable(fetchFrom(broker, await this.#cluster.library(), request), signal);
  }

  async #take(partition: ReadPartition, answer: FetchedPartition): Promise<void> {
    if (answer.errorCode === OFFSET_OUT_OF_RANGE) return this.#sayOutOfRange(partition);
    if (answer.errorCode !== 0) {
      const error = topicError(answer.errorCode, partition.topic, `fetching from ${partition.name}`);
      this.#cluster.forgetAfter(error);
      this.#refused(partition, error);
      return;
    }
    partition.recovered();
    partition.end = answer.end;
    if (answer.records.length === 0) return;
    const { version, next: from } = partition;
    const bytes = isMessageSet(answer.records)
      ? await batchesOfMessages(await this.#cluster.library(), answer.records)
      : answer.records;
    const taken = takeBatches({
      bytes,
      at: 0,
      end: bytes.length,
      offset: from,
      isolation: this.#options.isolation,
      aborted: answer.aborted,
      where: partition.name,
    });
    if (taken.next === from) {
      // Nothing whole came: brokers before 0.10.1 cut off what is larger than asked for.
      partition.neededBytes = answer.records.length * 2;
      return;
    }
    partition.neededBytes = 0;
    await this.#offer(partition, { bytes: bytes.subarray(0, taken.length), from, next: taken.next, version });
  }

  /** Copies the batches into a pooled buffer and lets them wait to be taken. */
  async #offer(
    partition: ReadPartition,
    { bytes, from, next, version }: { bytes: Buffer; from: number; next: number; version: number },
  ): Promise<void> {
    const loan = bytes.length === 0 ? null : await this.#options.pool.acquire(bytes.length, this.#closing.signal);
    const identity = partition.identity;
    if (identity === null || partition.version !== version || partition.isPaused) {
      loan?.release();
      return;
    }
    if (loan !== null) bytes.copy(loan.bytes);
    const stored = loan === null ? bytes : loan.bytes.subarray(0, bytes.length);
    const chunk = { partition: identity, bytes: stored, from, next, release: () => loan?.release() };
    partition.next = next;
    partition.queued = {
      take: () => {
        partition.queued = null;
        queueMicrotask(() => {
          this.#pump();
        });
        return { type: 'chunk', chunk };
      },
      drop: () => {
        if (partition.version === version) partition.next = from;
        loan?.release();
      },
    };
    this.#queue.push(partition.queued);
    const key = keyOf(partition.topic, partition.number);
    this.#partitions.delete(key);
    this.#partitions.set(key, partition);
  }

  async #sayOutOfRange(partition: ReadPartition): Promise<void> {
    const { topic, number, next: offset, version } = partition;
    const signal = this.#closing.signal;
    const node = await this.#cluster.leader(topic, number, { signal });
    const broker = await this.#cluster.connection({ node }, 'control', signal);
    const earliest = (await listOffsets(broker, topic, [number], 'earliest')).get(number) ?? 0;
    const latest = (await listOffsets(broker, topic, [number], 'latest')).get(number) ?? 0;
    const identity = partition.identity;
    if (identity === null || partition.version !== version) return;
    if (offset >= earliest && offset <= latest) {
      // A leader that was just elected may not know its end yet.
      this.#refused(partition, protocolError(OFFSET_NOT_AVAILABLE, `fetching from ${partition.name}`));
      return;
    }
    partition.isStill = true;
    partition.end = latest;
    this.say({ type: 'out-of-range', partition: identity, offset, earliest, latest });
  }

  /** It rests for a while. */
  #refused(partition: ReadPartition, error: SluiceError): void {
    partition.failed(error.message);
    if (!error.retryable) this.fail(error);
    if (partition.rests > 0) return;
    partition.rests++;
    const delayMs = error.retryable ? backOff(partition.failures) : FAILED_AGAIN_MS;
    this.#cluster.clock.sleep(delayMs, this.#closing.signal).then(
      () => {
        partition.rests--;
        this.#pump();
      },
      () => undefined,
    );
  }
}

function keyOf(topic: string, partition: number): string {
  return `${partition} ${topic}`;
}
