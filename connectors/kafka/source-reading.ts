import { SluiceError, type SourceContext } from 'sluice/api';
import { BufferPool, type KafkaClient, type KafkaEvent, type KafkaMember } from 'sluice/kafka';
import { ChunkEmitter } from './emit-chunk.ts';
import { MemberFence } from './member-fence.ts';
import { ReadToEnd } from './read-to-end.ts';
import type { SourceOptions } from './options.ts';
import { PartitionProgress, partitionKey } from './partition-progress.ts';
import { sourceGroup } from './source-group.ts';
import { positionOf, startOffsets } from './start-offsets.ts';
import { topicFilter } from './topic-filter.ts';

const FETCH_BYTES = 1024 * 1024;
/** What is fetched and not yet with the engine, or on its way into the topic as it is. */
const POOL_BYTES = 16 * FETCH_BYTES;
const COMMIT_EVERY_MS = 1000;
const REVOKE_MS = 10_000;

type Event<Type extends KafkaEvent['type']> = Extract<KafkaEvent, { type: Type }>;

/** One run of the source: one membership of the group. */
export class SourceReading {
  readonly #client: KafkaClient;
  readonly #context: SourceContext;
  readonly #options: SourceOptions;
  readonly #emitter: ChunkEmitter;
  readonly #progress = new Map<string, PartitionProgress>();
  readonly #reading = new AbortController();
  readonly #text: string;
  #cluster = '';

  constructor(client: KafkaClient, context: SourceContext, options: SourceOptions) {
    this.#client = client;
    this.#context = context;
    this.#options = options;
    this.#emitter = new ChunkEmitter(context);
    this.#text = topicFilter(options).text;
  }

  /** Ends when the signal aborts, or with `once` at the ends that the topics had at the start. */
  async run(): Promise<void> {
    const context = this.#context;
    const toEnd = context.once
      ? await ReadToEnd.from(this.#client, this.#options, { group: this.#group, context })
      : null;
    this.#cluster = (await this.#client.cluster(context.signal)).id;
    const member = this.#join();
    const signal = AbortSignal.any([context.signal, this.#reading.signal]);
    const accompanying = this.#accompany(member, toEnd, signal);
    try {
      for (let event = await member.next(signal); event !== null; event = await member.next(signal)) {
        await this.#handle(member, event);
      }
      await accompanying;
      await this.#settle([...this.#progress.values()]);
      await this.#commit(member);
    } finally {
      this.#reading.abort();
      await accompanying.catch(() => undefined);
      await member.close();
    }
  }

  get #group(): string {
    return sourceGroup(this.#options, this.#context);
  }

  #join(): KafkaMember {
    const { client, driver } = this.#options;
    const { once, hubId } = this.#context;
    return this.#client.joinGroup({
      group: this.#group,
      topics: topicFilter(this.#options).topics,
      // A run with an end does not come back: it leaves the group, and nobody waits for it.
      instanceId: driver === 'kafkajs' || once ? null : hubId,
      protocol: client.group_protocol,
      sessionTimeoutMs: client.session_timeout,
      heartbeatMs: client.heartbeat_interval,
      isolation: 'read_committed',
      pool: new BufferPool({ budgetBytes: POOL_BYTES, bufferBytes: 64 * 1024 }),
      fetchBytes: FETCH_BYTES,
    });
  }

  async #handle(member: KafkaMember, event: KafkaEvent): Promise<void> {
    switch (event.type) {
      case 'assigned':
        return this.#assign(member, event);
      case 'revoked':
        return this.#revoke(member, event);
      case 'chunk':
        return this.#emit(event);
      case 'out-of-range':
        this.#outOfRange(member, event);
        return;
      case 'topic-changed':
        throw new SluiceError('TOPIC_CHANGED', `reading topic "${event.topic}": it was deleted or recreated`, {
          retryable: true,
        });
    }
  }

  async #assign(member: KafkaMember, { partitions }: Event<'assigned'>): Promise<void> {
    const [client, context] = [this.#client, this.#context];
    const fence = new MemberFence(this.#cluster, member);
    const offsets = await startOffsets(partitions, { client, context, start: this.#options.start, fence });
    const begun = partitions.map(
      (assigned) => new PartitionProgress(assigned, offsets.get(partitionKey(assigned))!, assigned.committed),
    );
    // Before the first record: a hub that ends now must not start somewhere else next time.
    await this.#checkpoint(begun);
    for (const progress of begun) {
      this.#progress.set(progress.key, progress);
      member.seek(progress.partition.topic, progress.partition.partition, progress.settled);
    }
    this.#report();
  }

  async #revoke(member: KafkaMember, { partitions, isLost, done }: Event<'revoked'>): Promise<void> {
    const revoked = partitions.flatMap((partition) => this.#progress.get(partitionKey(partition)) ?? []);
    await this.#settle(revoked);
    try {
      if (!isLost) {
        // Durable before the next owner loads it, and never after that owner has saved a later one.
        await this.#checkpoint(revoked);
        await this.#commit(member, revoked);
      }
    } finally {
      for (const { key } of revoked) this.#progress.delete(key);
      done();
    }
    this.#report();
  }

  async #emit({ chunk }: Event<'chunk'>): Promise<void> {
    const progress = this.#progress.get(partitionKey(chunk.partition));
    if (progress === undefined) {
      chunk.release();
      return;
    }
    progress.begin();
    const { next } = chunk;
    try {
      const { durable } = await this.#emitter.emit(chunk);
      durable.then(
        () => {
          progress.end(next);
        },
        // The engine aborts this run.
        () => {
          progress.end(null);
        },
      );
    } catch (error) {
      progress.end(null);
      throw error;
    }
  }

  #outOfRange(member: KafkaMember, { partition, offset, earliest, latest }: Event<'out-of-range'>): void {
    const key = partitionKey(partition);
    if (offset > latest) {
      throw new SluiceError(
        'TOPIC_CHANGED',
        `reading ${key} at offset ${offset}: it ends at ${latest}, so records were lost there; forget the source (sluice offsets forget) to read what is left`,
      );
    }
    const missing = earliest - offset;
    this.#context.log.error(
      { partition: key, from: offset, to: earliest, missing },
      'records were deleted before they were read',
    );
    member.seek(partition.topic, partition.partition, earliest);
  }

  /** Saves the group's offsets every second, and ends the reading when all was read. */
  async #accompany(member: KafkaMember, toEnd: ReadToEnd | null, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#context;
    while (!signal.aborted) {
      await clock.sleep(COMMIT_EVERY_MS, signal).catch(() => undefined);
      try {
        await this.#commit(member);
        if ((await toEnd?.isReached(this.#progress)) === true) this.#reading.abort();
      } catch (error) {
        // The checkpoints are the truth: what the group is told can wait for the next second.
        log.debug({ cause: (error as Error).message }, 'saving the offsets of the group did not work');
      }
    }
  }

  async #settle(progress: readonly PartitionProgress[]): Promise<void> {
    const { clock } = this.#context;
    const given = new AbortController();
    await Promise.race([
      Promise.all(progress.map((one) => one.idle())),
      clock.sleep(REVOKE_MS, given.signal).catch(() => undefined),
    ]);
    given.abort();
  }

  async #commit(member: KafkaMember, of: Iterable<PartitionProgress> = this.#progress.values()): Promise<void> {
    const moved = [...of].filter(({ settled, committed }) => settled !== committed);
    if (moved.length === 0) return;
    const offsets = moved.map(({ partition: { topic, partition }, settled }) => ({ topic, partition, next: settled }));
    await member.commit(offsets);
    moved.forEach((progress, index) => (progress.committed = offsets[index]!.next));
  }

  /** Resolves when the positions are durable: they come without records. */
  async #checkpoint(progress: readonly PartitionProgress[]): Promise<void> {
    const saved = progress.map(async ({ key, partition, settled }) => {
      const empty = await this.#context.batch(1);
      await this.#context.emit(empty, { positions: [[key, positionOf(partition, settled)]] });
    });
    await Promise.all(saved);
  }

  #report(): void {
    this.#context.report(`${this.#progress.size} partitions of ${this.#text}`);
  }
}
