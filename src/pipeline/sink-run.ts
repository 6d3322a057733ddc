import { describeError, type Sink, type SinkContext, type SinkDefinition, type TopicPartition } from '../api/index.ts';
import { decoderFor } from '../codec/index.ts';
import { compileViewCondition } from '../expression/index.ts';
import type { SubscriptionEvent, TopicSubscription } from '../log/index.ts';
import { Batcher } from './batcher.ts';
import { largeBatchBytesIn } from './buffer-share.ts';
import { Delivery, type Trouble } from './delivery.ts';
import { connectorContext } from './leg.ts';
import { COUNTED } from './metric-names.ts';
import { OffsetCommitter } from './offset-committer.ts';
import type { PartitionFeed } from './partition-feed.ts';
import { reachEnds } from './reach-ends.ts';
import { SinkDeadLetters } from './sink-dead-letters.ts';
import { SinkIntake } from './sink-intake.ts';
import type { SinkLife, SinkLifeOptions } from './sink-life.ts';
import { ViewPool } from './view-pool.ts';

const REVOKE_MS = 10_000;

/** What the sink's options make of its definition. */
interface SinkTraits {
  readonly order: SinkDefinition['order'];
  readonly sealed: boolean;
  readonly keyed: boolean;
}

/** One life of a sink: created, fed from its saved offsets on, drained, closed. Whatever it cannot go on after ends it, and the runner begins another. */
export class SinkRun implements SinkLife<SinkDefinition> {
  readonly #options: SinkLifeOptions;
  readonly #feeds = new Map<number, PartitionFeed>();
  readonly #reading = new AbortController();
  readonly #ending = new AbortController();
  #delivery: Delivery | null = null;
  #deadLetters: SinkDeadLetters | null = null;
  #subscription: TopicSubscription | null = null;
  #committer: OffsetCommitter | null = null;
  #failure: { readonly error: unknown } | null = null;
  #commitTrouble: Trouble | null = null;
  /** What the sink itself says that it waits for. */
  #sinkTrouble: Trouble | null = null;

  constructor(options: SinkLifeOptions) {
    this.#options = options;
  }

  /** The offset after the last record that is known, over all partitions, minus what is finished. */
  get lag(): number {
    let lag = 0;
    for (const [partition, { watermark }] of this.#feeds) {
      lag += Math.max(0, (this.#subscription?.end(partition) ?? 0) - watermark.settled);
    }
    return lag;
  }

  /** Timestamp of the oldest record that was read and is not finished. */
  get oldestTimestamp(): number | null {
    const times = [...this.#feeds.values()].flatMap((feed) => feed.oldestTimestamp ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Resolves when the sink was asked to stop and did; rejects when it cannot go on. */
  async run(definition: SinkDefinition, options: Record<string, unknown>): Promise<void> {
    const sink = await definition.create(options, this.#sinkContext());
    try {
      await this.#subscribed(sink, {
        order: definition.needsOrder?.(options) === true ? 'partition' : definition.order,
        sealed: definition.sealed ?? false,
        keyed: definition.tiedToTopic?.(options) === true,
      });
    } finally {
      this.#ending.abort();
      await this.#closed(sink);
    }
  }

  /** No more reading; what was read is finished, flushed and saved. */
  drain(): void {
    this.#reading.abort();
  }

  /** Everything that waits is given up. */
  kill(reason: unknown): void {
    this.#reading.abort();
    this.#ending.abort(reason);
    // At once: whoever kills may start another life before this one has come to its end, and that one's offsets must stand.
    this.#delivery?.end();
    this.#committer?.stop();
  }

  resume(): void {
    this.#deadLetters?.retry();
    this.#delivery?.resume();
  }

  /** The ends of the topic's partitions, now. */
  ends(): Promise<readonly number[]> {
    return this.#subscription!.ends();
  }

  /** Resolves when the offsets up to these ends are saved. */
  async reach(ends: readonly number[]): Promise<void> {
    const delivery = this.#delivery;
    if (delivery === null) return;
    delivery.hurry();
    const subscription = this.#subscription!;
    await reachEnds({
      ends,
      settled: (partition) => this.#feeds.get(partition)?.watermark.settled,
      saved: subscription.saved === undefined ? undefined : () => subscription.saved!(),
      until: (holds, signal) => delivery.until(holds, signal),
      clock: this.#options.dependencies.clock,
      signal: this.#reading.signal,
    });
    await this.#flush(delivery, this.#reading.signal);
    await this.#committer!.commit();
  }

  async #subscribed(sink: Sink, traits: SinkTraits): Promise<void> {
    const { plan, dependencies } = this.#options;
    const { pool, topicLog, pipeline, clock } = dependencies;
    const subscription = await topicLog.subscribe({
      sink: plan.name,
      topic: pipeline.topic.name,
      start: plan.start,
      keyed: traits.keyed,
      pool,
      fetchBytes: largeBatchBytesIn(pool.budgetBytes),
    });
    this.#subscription = subscription;
    const committer = new OffsetCommitter({
      subscription,
      clock,
      feeds: () => this.#feeds.values(),
      onTick: (error) => {
        this.#committed(error);
      },
    });
    this.#committer = committer;
    const { delivery, intake } = this.#connect(sink, traits, subscription);
    try {
      committer.start();
      this.#options.onStarted();
      await this.#read(subscription, intake, { sink, delivery });
      await this.#drain(delivery, committer);
    } finally {
      committer.stop();
      delivery.end();
      this.#deadLetters?.close();
      intake.close();
      for (const feed of this.#feeds.values()) feed.close();
      this.#options.totals.close(this.#feeds.values());
      this.#feeds.clear();
      await subscription.close();
    }
  }

  #connect(
    sink: Sink,
    { order, sealed }: SinkTraits,
    subscription: TopicSubscription,
  ): { delivery: Delivery; intake: SinkIntake } {
    const { plan, dependencies, totals, rate } = this.#options;
    const { pool, clock, log, metrics } = dependencies;
    const views = new ViewPool(decoderFor(plan.decode));
    const feeds = this.#feeds;
    totals.follow(feeds);
    const deadLetters: SinkDeadLetters = (this.#deadLetters = new SinkDeadLetters({
      plan,
      dependencies,
      rate,
      signal: this.#ending.signal,
      delivery: () => delivery,
    }));
    const delivery: Delivery = (this.#delivery = new Delivery({
      plan,
      sink,
      order,
      feeds,
      batcher: new Batcher(plan.batch, views),
      pool,
      deadLetters: deadLetters.queue,
      dependencies,
      onDelivered: (records) => {
        rate.count(records, 0);
        this.#options.onProgress();
      },
      onFailed: (error) => {
        this.#fail(error);
      },
      onChange: () => {
        this.#options.onTrouble(delivery.trouble ?? this.#sinkTrouble ?? this.#commitTrouble);
      },
      onPump: () => {
        intake.proceed();
      },
    }));
    const intake: SinkIntake = new SinkIntake({
      sink,
      subscription,
      feeds,
      views,
      pool,
      batchBytes: plan.batch.maxBytes,
      where: plan.where === null ? null : compileViewCondition(plan.where, plan.decode),
      sealed,
      monotonic: () => clock.monotonic(),
      now: () => clock.now(),
      log,
      mayRefuse: () => delivery.mayRefuse,
      onDropped: (records) => {
        rate.count(records, 0);
        metrics.count(COUNTED.dropped, records);
      },
      onRefused: (batch, errors, stage) => {
        delivery.refuse(batch, errors, stage);
      },
    });
    return { delivery, intake };
  }

  async #read(
    subscription: TopicSubscription,
    intake: SinkIntake,
    { sink, delivery }: { sink: Sink; delivery: Delivery },
  ): Promise<void> {
    for (;;) {
      const event = await subscription.next(this.#reading.signal);
      if (this.#failure !== null) throw this.#failure.error;
      if (event === null) return;
      if (event.type === 'chunk') intake.take(event.chunk);
      else if (event.type === 'assigned') await intake.assign(event.partitions);
      else await this.#revoke(event, sink, delivery);
      delivery.pump();
    }
  }

  async #revoke(event: Extract<SubscriptionEvent, { type: 'revoked' }>, sink: Sink, delivery: Delivery): Promise<void> {
    const feeds = event.partitions.flatMap(({ partition }) => this.#feeds.get(partition) ?? []);
    for (const feed of feeds) {
      feed.isClosing = true;
      while (feed.queue.length > 0) feed.shift();
    }
    delivery.forgetClosing();
    const limit = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(REVOKE_MS)]);
    try {
      await delivery.until(() => feeds.every(({ writing }) => writing === 0), limit);
      await this.#flush(delivery, limit, feeds);
      await this.#committer!.commit();
    } catch (error) {
      this.#options.dependencies.log.warn(
        { cause: describeError(error) },
        'partitions given up before they were finished',
      );
    }
    for (const feed of feeds) {
      feed.close();
      this.#feeds.delete(feed.partition.partition);
    }
    this.#options.totals.close(feeds);
    await sink.revoked?.(event.partitions);
    event.done();
  }

  async #drain(delivery: Delivery, committer: OffsetCommitter): Promise<void> {
    const { signal } = this.#ending;
    delivery.hurry();
    const isFinished = (): boolean => [...this.#feeds.values()].every(({ watermark }) => watermark.unfinished === 0);
    const cannotFinish = (): boolean => delivery.isStuck || this.#failure !== null;
    await delivery.until(() => cannotFinish() || (isFinished() && !delivery.isBusy), signal);
    if (this.#failure === null) await this.#flush(delivery, signal);
    await committer.commit();
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Makes the sink keep what it has taken. A partition with a gap cannot be flushed: it is left as it is. */
  async #flush(delivery: Delivery, signal: AbortSignal, feeds = [...this.#feeds.values()]): Promise<void> {
    const unflushed = feeds.filter(({ watermark }) => watermark.even && watermark.committable < watermark.settled);
    for (const feed of unflushed) feed.wantsFlush = true;
    delivery.pump();
    const isFlushed = (): boolean => !delivery.isBusy && unflushed.every(({ wantsFlush }) => !wantsFlush);
    await delivery.until(() => isFlushed() || this.#failure !== null, signal);
  }

  #sinkContext(): SinkContext {
    const { plan, dependencies, report } = this.#options;
    return {
      ...connectorContext(dependencies, {
        name: plan.name,
        signal: this.#ending.signal,
        waiting: (reason) => {
          this.#sinkTrouble = reason === null ? null : { state: 'degraded', reason };
          this.#delivery?.pump();
        },
      }),
      requestFlush: (partitions) => {
        this.#requestFlush(partitions);
      },
      ...(dependencies.replay === undefined ? {} : { replay: { resurrect: dependencies.replay.resurrect } }),
      report,
    };
  }

  // Later than the call: it may come from within a write.
  #requestFlush(partitions: readonly TopicPartition[]): void {
    for (const { partition, incarnation } of partitions) {
      const feed = this.#feeds.get(partition);
      if (feed?.partition.incarnation === incarnation) feed.wantsFlush = true;
    }
    queueMicrotask(() => this.#delivery?.pump());
  }

  #committed(error: unknown): void {
    const { dependencies } = this.#options;
    const reason = error === undefined ? null : describeError(error);
    this.#commitTrouble = reason === null ? null : { state: 'degraded', reason };
    if (reason !== null) dependencies.log.warn({ cause: reason }, 'saving offsets did not work, trying again');
    const behindMs = this.oldestTimestamp === null ? 0 : dependencies.clock.now() - this.oldestTimestamp;
    dependencies.metrics.gauge(COUNTED.lag, this.lag);
    dependencies.metrics.gauge(COUNTED.behind, Math.max(0, behindMs) / 1000);
    dependencies.metrics.gauge(COUNTED.bufferBytes, dependencies.pool.usedBytes);
    this.#delivery?.pump();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#reading.abort();
    this.#delivery?.pump();
  }

  async #closed(sink: Sink): Promise<void> {
    try {
      await sink.close();
    } catch (error) {
      this.#options.dependencies.log.warn({ cause: describeError(error) }, 'closing the sink did not work');
    }
  }
}
