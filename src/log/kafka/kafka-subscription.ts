import { SluiceError, type Clock, type Logger, type Metrics } from '../../api/index.ts';
import type { KafkaChunk, KafkaClient, KafkaEvent, KafkaMember, MemberOptions } from '../../kafka/index.ts';
import { METRIC } from '../../telemetry/index.ts';
import type { Assignment, SubscribeOptions, SubscriptionEvent, TopicSubscription } from '../topic-log.ts';
import { beginPartitions } from './begin-partitions.ts';
import { sinkGroup, type Owner } from './identities.ts';
import { closedError, hasCode, readError } from './log-errors.ts';
import { OwnedPartitions } from './owned-partitions.ts';
import type { SinkStates } from './sink-states.ts';
import type { TopicTable } from './topic-table.ts';
import { whicheverFirst } from './whichever-first.ts';

const LOOK_EVERY_MS = 1000;

export interface KafkaSubscriptionOptions extends SubscribeOptions {
  readonly owner: Owner;
  readonly client: KafkaClient;
  readonly topics: TopicTable;
  readonly states: SinkStates;
  readonly member: Pick<MemberOptions, 'protocol' | 'sessionTimeoutMs' | 'heartbeatMs' | 'instanceId'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly onFailed: (error: unknown) => void;
  readonly onClosed: () => void;
}

type EventOf<Type extends KafkaEvent['type']> = Extract<KafkaEvent, { type: Type }>;

/** One sink's membership in its consumer group, and again after its topic became another one. */
export class KafkaSubscription implements TopicSubscription {
  readonly #options: KafkaSubscriptionOptions;
  readonly #owned: OwnedPartitions;
  readonly #over = new AbortController();
  readonly #ready: SubscriptionEvent[] = [];
  /** What an event asks for goes on when whoever waits for the next one has to go. */
  #working: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #committing: Promise<unknown> = Promise.resolve();
  #member: KafkaMember;
  #ended: Promise<void> | null = null;

  constructor(options: KafkaSubscriptionOptions) {
    this.#options = options;
    this.#owned = new OwnedPartitions(options.states);
    this.#member = this.#join();
  }

  async next(signal: AbortSignal): Promise<SubscriptionEvent | null> {
    for (;;) {
      if (this.#over.signal.reason instanceof SluiceError) throw this.#over.signal.reason;
      if (this.#failure !== null) throw this.#failure.error;
      if (signal.aborted || this.#over.signal.aborted) return null;
      const ready = this.#ready.shift();
      if (ready !== undefined) return ready;
      if (this.#working !== null) await whicheverFirst(this.#working, signal);
      else await this.#read(signal);
    }
  }

  seek(partition: number, offset: number): void {
    if (this.#owned.has(partition)) this.#member.seek(this.#options.topic, partition, offset);
  }

  pause(partition: number): void {
    if (this.#owned.has(partition)) this.#member.pause(this.#options.topic, partition);
  }

  resume(partition: number): void {
    if (this.#owned.has(partition)) this.#member.resume(this.#options.topic, partition);
  }

  commit(offsets: readonly { readonly partition: number; readonly next: number }[]): Promise<void> {
    if (this.#over.signal.aborted) return Promise.reject(closedError('saving offsets'));
    const committing = this.#commit(offsets);
    this.#committing = Promise.allSettled([this.#committing, committing]);
    return committing;
  }

  async #commit(offsets: readonly { readonly partition: number; readonly next: number }[]): Promise<void> {
    const own = offsets.filter(({ partition }) => this.#owned.has(partition));
    if (own.length === 0) return;
    try {
      await this.#commitOwn(own);
    } catch (error) {
      if (!hasCode(error, 'KAFKA_REBALANCED')) throw this.#noted(readError(error, 'saving offsets'));
      // Of one that is gone meanwhile nobody has to know; the others are saved all the same.
      for (const offset of own) if (this.#owned.has(offset.partition)) await this.#commitOwn([offset]);
    }
  }

  end(partition: number): number {
    return this.#member.end(this.#options.topic, partition);
  }

  async ends(): Promise<readonly number[]> {
    const { client, topic } = this.#options;
    const { signal } = this.#over;
    const ends = await client.offsets(topic, 'stable', { signal });
    return [...ends].sort(([a], [b]) => a - b).map(([, end]) => end);
  }

  async saved(): Promise<ReadonlyMap<number, number>> {
    const { client, topic, owner, sink } = this.#options;
    const offsets = await client.groupOffsets(sinkGroup(owner, sink), this.#over.signal);
    return new Map(offsets.filter((one) => one.topic === topic).map(({ partition, next }) => [partition, next]));
  }

  /** Resolves when what was committed so far is answered, and the states behind it are saved too. */
  async settled(): Promise<void> {
    await this.#committing;
    await this.#options.states.settled();
  }

  close(): Promise<void> {
    return this.#end(null);
  }

  /** The log is closed or lost: who waits is told. */
  abort(reason: SluiceError): Promise<void> {
    return this.#end(reason);
  }

  #end(reason: SluiceError | null): Promise<void> {
    return (this.#ended ??= this.#leave(reason));
  }

  async #leave(reason: SluiceError | null): Promise<void> {
    this.#over.abort(reason ?? 'closed');
    for (const event of this.#ready.splice(0)) if (event.type === 'chunk') event.chunk.release();
    await this.#member.close();
    await this.#working;
    this.#options.onClosed();
  }

  #join(): KafkaMember {
    const { client, owner, sink, topic, pool, fetchBytes, member } = this.#options;
    const group = sinkGroup(owner, sink);
    return client.joinGroup({ group, topics: [topic], isolation: 'read_committed', pool, fetchBytes, ...member });
  }

  async #read(signal: AbortSignal): Promise<void> {
    let event: KafkaEvent | null;
    try {
      event = await this.#member.next(signal);
    } catch (error) {
      if (this.#over.signal.aborted) return;
      throw this.#noted(readError(error, `reading topic "${this.#options.topic}"`));
    }
    if (event !== null) this.#handle(event);
  }

  #handle(event: KafkaEvent): void {
    switch (event.type) {
      case 'chunk':
        this.#deliver(event.chunk);
        break;
      case 'assigned':
        this.#work(() => this.#assign(event));
        break;
      case 'revoked':
        this.#revoke(event);
        break;
      case 'out-of-range':
        this.#outOfRange(event);
        break;
      case 'topic-changed':
        this.#options.log.warn({ topic: event.topic }, 'topic was deleted or created again');
        this.#startOver();
        break;
    }
  }

  #deliver(chunk: KafkaChunk): void {
    const { bytes, from, next } = chunk;
    const partition = this.#owned.shown(chunk.partition.partition);
    if (partition === null) {
      chunk.release();
      return;
    }
    const release = (): void => {
      chunk.release();
    };
    this.#ready.push({ type: 'chunk', chunk: { partition, bytes, from, next, release } });
  }

  async #assign({ partitions }: EventOf<'assigned'>): Promise<void> {
    const { topics, topic } = this.#options;
    const found = await topics.refresh(topic, this.#over.signal);
    const isSame = partitions.every(({ incarnation }) => incarnation === found?.incarnation);
    // A group may hold on to partitions that the topic does not have any more, until it looks again.
    const real = partitions.filter(({ partition }) => partition < (found?.partitions ?? 0));
    if (found === null || !isSame) this.#startOver();
    else if (real.length > 0) await this.#begin(real, found.partitions);
  }

  async #begin(partitions: EventOf<'assigned'>['partitions'], partitionCount: number): Promise<void> {
    const { topic, start, keyed = false, client, states, log } = this.#options;
    const cut = this.#owned.takeCut();
    const { signal } = this.#over;
    const member = this.#member;
    const options = { client, member, states, topic, partitionCount, start, keyed, cut, signal, log };
    const starts = await beginPartitions(partitions, options);
    const assigned: Assignment[] = starts.map(({ partition, start: { state } }) => ({
      ...this.#owned.add(topic, partition, state),
      committed: state.next,
      reset: state.reset,
    }));
    this.#ready.push({ type: 'assigned', partitions: assigned });
  }

  #revoke({ partitions, isLost, done }: EventOf<'revoked'>): void {
    const shown = partitions.flatMap(({ partition }) => this.#owned.shown(partition) ?? []);
    const forget = (): void => {
      for (const { partition } of partitions) this.#owned.forget(partition);
    };
    // Commits would be refused, or be taken for the new owner's.
    if (isLost) forget();
    if (shown.length === 0) {
      done();
      return;
    }
    this.#ready.push({
      type: 'revoked',
      partitions: shown,
      done: () => {
        forget();
        done();
      },
    });
  }

  #outOfRange({ partition: { partition }, offset, earliest, latest }: EventOf<'out-of-range'>): void {
    const { topic, sink, log, metrics } = this.#options;
    if (!this.#owned.has(partition)) return;
    if (offset > latest) {
      log.warn({ topic, partition, offset, latest }, 'log of the partition ends before where the sink stands');
      this.#owned.markCut(partition);
      this.#startOver();
      return;
    }
    if (offset < earliest) {
      const records = earliest - offset;
      log.error(
        { topic, partition, offset, earliest, records },
        'records were deleted by retention before the sink had read them',
      );
      metrics.count(METRIC.sinkExpired.name, records, { sink });
    }
    const target = Math.max(offset, earliest);
    this.#member.seek(topic, partition, target);
  }

  /** What was read of the topic as it was is given up; the sink goes on with the topic as it is. */
  #startOver(): void {
    const partitions = this.#owned.forgetAll();
    if (partitions.length === 0) this.#work(() => this.#rejoin());
    else
      this.#ready.push({
        type: 'revoked',
        partitions,
        done: () => {
          this.#work(() => this.#rejoin());
        },
      });
  }

  async #rejoin(): Promise<void> {
    const { topics, topic, clock, log } = this.#options;
    const { signal } = this.#over;
    await this.#member.close();
    for (let looks = 0; (await topics.refresh(topic, signal)) === null; looks++) {
      if (looks === 0) log.warn({ topic }, 'topic is gone, waiting until it is there again');
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
    signal.throwIfAborted();
    this.#member = this.#join();
  }

  #work(task: () => Promise<void>): void {
    const before = this.#working ?? Promise.resolve();
    const working = before.then(task).then(
      () => undefined,
      (error: unknown) => {
        if (!this.#over.signal.aborted)
          this.#failure = { error: this.#noted(readError(error, `reading topic "${this.#options.topic}"`)) };
      },
    );
    this.#working = working;
    void working.then(() => {
      if (this.#working === working) this.#working = null;
    });
  }

  #noted(error: unknown): unknown {
    this.#options.onFailed(error);
    return error;
  }

  async #commitOwn(offsets: readonly { readonly partition: number; readonly next: number }[]): Promise<void> {
    const { topic } = this.#options;
    await this.#member.commit(offsets.map(({ partition, next }) => ({ topic, partition, next })));
    for (const { partition, next } of offsets) this.#owned.committed(partition, next);
  }
}
