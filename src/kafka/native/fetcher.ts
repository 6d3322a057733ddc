import { SluiceError } from '../../api/index.ts';
import type { KafkaChunk, KafkaEvent, ReaderOptions } from '../client.ts';
import type { Cluster } from './cluster.ts';
import { meaningOf } from '../common/error-codes.ts';
import { protocolError } from '../common/errors.ts';
import { kafkaError } from './errors.ts';
import type { EventQueue } from '../common/event-queue.ts';
import { FetchLine, type PartitionAnswer } from './fetch-line.ts';
import { FetchPartition } from './fetch-partition.ts';
import { copyRecords, placeOf } from './fetch-request.ts';
import type { TopicMetadata } from './metadata.ts';
import { listOffsets } from './offsets.ts';
import { PartitionEvents } from './partition-events.ts';
import { ReadTopics } from './read-topics.ts';
import type { SharedLoan } from './shared-loan.ts';
import { takeBatches } from '../common/take-batches.ts';
import type { Waiting } from '../common/waiting.ts';

/** How long a broker may hold a fetch while there is nothing. */
const POLL_MS = 500;
const OFFSET_OUT_OF_RANGE = 1;
const CORRUPT_MESSAGE = 2;
const LEADER_NOT_AVAILABLE = 5;

export interface FetcherOptions {
  readonly cluster: Cluster;
  readonly reader: ReaderOptions;
  /** The name of its connections, its own. */
  readonly lane: string;
  readonly queue: EventQueue;
  readonly waiting: Waiting;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/**
 * One broker's partitions. The long poll covers all that want to be fetched, but is not begun while something of before was not taken yet, for it
 * would leave that partition out for its whole length. What joins while it is under way, and may have more, is asked for at once on the second line.
 */
interface BrokerLines {
  readonly poll: FetchLine;
  readonly catchUp: FetchLine;
  untaken: number;
}

/** Fetches the partitions that were sought, in turn, and queues what came: of each partition one chunk at a time. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #topics: ReadTopics;
  readonly #events: PartitionEvents;
  /** Those first whose turn it is: what delivered goes to the end. */
  readonly #partitions = new Map<string, FetchPartition>();
  readonly #brokers = new Map<number, BrokerLines>();
  #isScheduled = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
    const { cluster, waiting, signal, queue } = options;
    this.#events = new PartitionEvents({
      cluster,
      queue,
      signal,
      onFree: () => {
        this.#schedule();
      },
    });
    this.#topics = new ReadTopics({
      cluster,
      waiting,
      signal,
      onKnown: (topic) => {
        this.#onKnown(topic);
      },
      onChanged: (topic, incarnation) => {
        this.#onChanged(topic, incarnation);
      },
      onFault: (topic, error) => {
        for (const partition of this.#of(topic)) this.#events.fault(partition, error);
      },
    });
  }

  seek(topic: string, number: number, offset: number): void {
    const key = keyOf(topic, number);
    const partition = this.#partitions.get(key) ?? this.#add(topic, number);
    this.#partitions.set(key, partition);
    this.#events.takeBack(partition);
    partition.seek(offset);
    this.#schedule();
  }

  /** One that joins others of its topic is known as they are. */
  #add(topic: string, number: number): FetchPartition {
    const partition = new FetchPartition(topic, number, this.#options.waiting);
    const known = this.#topics.get(topic);
    if (known !== null) partition.identify(known.incarnation);
    return partition;
  }

  pause(topic: string, number: number): void {
    const partition = this.#partitions.get(keyOf(topic, number));
    if (partition === undefined) return;
    partition.isPaused = true;
    // Its buffer may be the one that others wait for.
    if (!partition.isStill) this.#events.takeBack(partition);
  }

  resume(topic: string, number: number): void {
    const partition = this.#partitions.get(keyOf(topic, number));
    if (partition === undefined) return;
    partition.isPaused = false;
    this.#schedule();
  }

  end(topic: string, number: number): number {
    return this.#partitions.get(keyOf(topic, number))?.end ?? 0;
  }

  /** Nothing of these partitions is delivered any more. */
  forget(partitions: readonly { readonly topic: string; readonly partition: number }[]): void {
    for (const { topic, partition: number } of partitions) {
      const key = keyOf(topic, number);
      const partition = this.#partitions.get(key);
      if (partition === undefined) continue;
      this.#events.takeBack(partition);
      partition.version++;
      partition.recovered();
      this.#partitions.delete(key);
      // Whoever asks for it again may mean another topic of that name.
      if (this.#of(topic).next().done === true) this.#topics.forget(topic);
    }
  }

  /** After its signal has aborted. */
  close(): void {
    const { cluster, lane } = this.#options;
    cluster.closeLane(lane);
    cluster.closeLane(catchUpLane(lane));
  }

  *#of(topic: string): Generator<FetchPartition> {
    for (const partition of this.#partitions.values()) if (partition.topic === topic) yield partition;
  }

  /** Once for all that happens in this turn. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (!this.#options.signal.aborted) this.#begin();
    });
  }

  /** Begins every fetch that can begin. */
  #begin(): void {
    const wanted = new Map<number, boolean>();
    for (const partition of this.#partitions.values()) {
      if (!partition.wantsFetch) continue;
      const node = this.#leaderOf(partition);
      if (node === null) this.#lookUpLeader(partition);
      else wanted.set(node, (wanted.get(node) ?? false) || !partition.isDrained);
    }
    for (const [node, mayHaveMore] of wanted) {
      const { poll, catchUp, untaken } = this.#linesTo(node);
      // What the other line asks for would be left out of the poll, for its whole length.
      if (poll.state === 'idle' && catchUp.state === 'idle' && untaken === 0) this.#run(poll);
      else if (poll.state === 'sent' && catchUp.state === 'idle' && mayHaveMore) this.#run(catchUp);
    }
  }

  /** Null: to be looked up. */
  #leaderOf({ topic, number, isLeaderWrong }: FetchPartition): number | null {
    if (isLeaderWrong || this.#topics.get(topic) === null) return null;
    return this.#options.cluster.metadata.leader(topic, number)?.node ?? null;
  }

  #lookUpLeader({ topic, number }: FetchPartition): void {
    const { metadata } = this.#options.cluster;
    // Only now that it is asked for again: what was just found is in date.
    if (metadata.leader(topic, number) === null) metadata.invalidate(topic);
    void this.#topics.lookUp(topic);
  }

  #linesTo(node: number): BrokerLines {
    const known = this.#brokers.get(node);
    if (known !== undefined) return known;
    const { lane } = this.#options;
    const lines = {
      poll: this.#line(node, lane, POLL_MS),
      catchUp: this.#line(node, catchUpLane(lane), 0),
      untaken: 0,
    };
    this.#brokers.set(node, lines);
    return lines;
  }

  #line(node: number, lane: string, maxWaitMs: number): FetchLine {
    const { cluster, waiting, signal, reader } = this.#options;
    const { pool, isolation, fetchBytes } = reader;
    return new FetchLine({
      ...{ cluster, waiting, signal, pool, isolation, fetchBytes, node, lane, maxWaitMs },
      choose: (line) => this.#choose(line, maxWaitMs === 0),
      topicId: (topic) => this.#topics.get(topic)?.id ?? null,
      refresh: (line) => this.#refresh(line),
      onAnswer: (line, answers, loan) => {
        this.#onAnswer(line, answers, loan);
      },
    });
  }

  #run(line: FetchLine): void {
    const end = (): void => {
      line.state = 'idle';
      this.#schedule();
    };
    line.run().then(end, (error: unknown) => {
      if (this.#options.signal.aborted) return;
      // Idle again when somebody was told.
      this.#options.queue.push({
        take: () => {
          end();
          throw error;
        },
      });
    });
  }

  #choose(line: FetchLine, catchesUp: boolean): readonly FetchPartition[] {
    const wanted: FetchPartition[] = [];
    for (const partition of this.#partitions.values()) {
      if (!partition.wantsFetch || (catchesUp && partition.isDrained)) continue;
      if (this.#leaderOf(partition) !== line.node) continue;
      // It takes the whole answer for itself.
      if (partition.neededBytes > 0) return [partition];
      wanted.push(partition);
    }
    return wanted;
  }

  /** Is the broker still the leader of what it did not answer for? */
  async #refresh(line: FetchLine): Promise<void> {
    const topics = new Set(this.#choose(line, false).map(({ topic }) => topic));
    await Promise.all([...topics].map((topic) => this.#topics.lookUp(topic)));
  }

  #onKnown({ name, incarnation, partitions }: TopicMetadata): void {
    for (const partition of this.#of(name)) {
      partition.identify(incarnation);
      partition.isLeaderWrong = false;
      if ((partitions[partition.number]?.leader ?? -1) !== -1) continue;
      this.#events.delay(partition, protocolError(LEADER_NOT_AVAILABLE, `reading ${partition.name}`));
    }
    this.#schedule();
  }

  #onChanged(topic: string, incarnation: string | null): void {
    for (const partition of this.#of(topic)) {
      partition.isStill = true;
      partition.recovered();
    }
    this.#options.queue.push({ take: () => ({ type: 'topic-changed', topic, incarnation }) });
  }

  #onAnswer(line: FetchLine, answers: readonly PartitionAnswer[], loan: SharedLoan): void {
    let at = 0;
    let isFirst = true;
    for (const { partition, isFresh, fetched } of answers) {
      const { errorCode, records, highWatermark, lastStableOffset } = fetched;
      const mayBeCut = !isFirst;
      if (records !== null) isFirst = false;
      if (!isFresh || partition.isPaused || partition.isStill) continue;
      if (errorCode !== 0) {
        this.#onError(partition, errorCode);
        continue;
      }
      const isCommitted = this.#options.reader.isolation === 'read_committed';
      partition.end = isCommitted && lastStableOffset >= 0 ? lastStableOffset : highWatermark;
      partition.isDrained = records === null;
      partition.recovered();
      if (records === null) continue;
      const place = placeOf(records, loan.bytes);
      if (place >= 0) this.#take(line, { partition, isFresh, fetched }, { loan, at: place, mayBeCut });
      else if (records.length > loan.bytes.length - at) partition.neededBytes = records.length;
      else {
        copyRecords(records, loan.bytes, at);
        at += this.#take(line, { partition, isFresh, fetched }, { loan, at, mayBeCut });
      }
    }
  }

  /** Queues what came, which lies in the loan from `at` on; returns how many bytes of it are kept. */
  #take(
    line: FetchLine,
    { partition, fetched }: PartitionAnswer,
    { loan, at, mayBeCut }: { readonly loan: SharedLoan; readonly at: number; readonly mayBeCut: boolean },
  ): number {
    const { isolation } = this.#options.reader;
    const { next: offset, name: where } = partition;
    partition.neededBytes = 0;
    try {
      const end = at + fetched.records!.length;
      const { aborted } = fetched;
      const { length, next } = takeBatches({ bytes: loan.bytes, at, end, offset, isolation, aborted, where });
      // Only behind another partition's batches a broker cuts off the first.
      if (next === offset && !mayBeCut)
        throw new SluiceError('RECORD_CORRUPT', `reading ${where} from offset ${offset}: the record batch is cut off`);
      if (next > offset) this.#deliver(line, partition, { loan, at, length, next });
      return length;
    } catch (error) {
      this.#events.fault(partition, kafkaError(error, `reading ${where}`));
      return 0;
    }
  }

  #deliver(
    line: FetchLine,
    partition: FetchPartition,
    {
      loan,
      at,
      length,
      next,
    }: { readonly loan: SharedLoan; readonly at: number; readonly length: number; readonly next: number },
  ): void {
    const lines = this.#linesTo(line.node);
    const from = partition.next;
    const chunk: KafkaChunk = {
      partition: partition.identity!,
      bytes: loan.bytes.subarray(at, at + length),
      from,
      next,
      release: length > 0 ? loan.hold() : () => undefined,
    };
    const leave = (): void => {
      lines.untaken--;
      this.#schedule();
    };
    lines.untaken++;
    partition.next = next;
    this.#events.add(partition, {
      take: () => {
        leave();
        return { type: 'chunk', chunk };
      },
      drop: () => {
        partition.next = from;
        chunk.release();
        leave();
      },
    });
    const key = keyOf(partition.topic, partition.number);
    this.#partitions.delete(key);
    this.#partitions.set(key, partition);
  }

  #onError(partition: FetchPartition, code: number): void {
    const error = protocolError(code, `reading ${partition.name} from offset ${partition.next}`);
    const { class: errorClass } = meaningOf(code);
    if (errorClass === 'metadata') {
      partition.isLeaderWrong = true;
      this.#options.cluster.metadata.invalidate(partition.topic);
    }
    if (code === OFFSET_OUT_OF_RANGE) void this.#onOutOfRange(partition);
    else if (code === CORRUPT_MESSAGE) this.#events.fault(partition, new SluiceError('RECORD_CORRUPT', error.message));
    else if (error.retryable) this.#events.delay(partition, error);
    else this.#events.fault(partition, error);
  }

  /** Asked with the partition still: is the offset really gone, and what is there instead? */
  async #onOutOfRange(partition: FetchPartition): Promise<void> {
    const { cluster, signal } = this.#options;
    const { topic, version, next: offset } = partition;
    partition.isStill = true;
    const isStale = (): boolean => partition.version !== version || signal.aborted;
    try {
      cluster.metadata.invalidate(topic);
      await this.#topics.lookUp(topic);
      if (isStale() || this.#topics.get(topic) === null) return;
      const range = {
        earliest: await this.#offset(partition, 'earliest'),
        latest: await this.#offset(partition, 'latest'),
      };
      if (isStale()) return;
      if (offset >= range.earliest && offset <= range.latest) {
        partition.isStill = false;
        this.#events.delay(
          partition,
          protocolError(OFFSET_OUT_OF_RANGE, `reading ${partition.name} from offset ${offset}`),
        );
        return;
      }
      const event: KafkaEvent = { type: 'out-of-range', partition: partition.identity!, offset, ...range };
      this.#events.add(partition, { take: () => event });
    } catch (error) {
      if (isStale()) return;
      partition.isStill = false;
      this.#events.fault(partition, kafkaError(error, `reading ${partition.name}`));
    }
  }

  async #offset({ topic, number }: FetchPartition, at: 'earliest' | 'latest'): Promise<number> {
    const { cluster, signal } = this.#options;
    return (await listOffsets(cluster, topic, at, { partitions: [number], signal })).get(number) ?? 0;
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}

function catchUpLane(lane: string): string {
  return `${lane}-catch-up`;
}
