import { SluiceError, type Position, type SourceFence } from '../../api/index.ts';
import { METRIC } from '../../telemetry/index.ts';
import type { KafkaProducer } from '../../kafka/index.ts';
import { jobIntents } from '../job-intents.ts';
import type {
  CommitRequest,
  PositionClaim,
  SubscribeOptions,
  TopicDescription,
  TopicLog,
  TopicSubscription,
} from '../topic-log.ts';
import { CheckpointTopic } from './checkpoint-topic.ts';
import { FencedWriter, PlainWriter } from './checkpoint-writer.ts';
import { Commits, type SourceLane } from './commits.ts';
import { partitionTransactionalId, transactionalId, type Owner, type SourceIdentity } from './identities.ts';
import { ExactSource } from './exact-source.ts';
import { KafkaSubscription } from './kafka-subscription.ts';
import { closedError, hasCode, readError } from './log-errors.ts';
import type { KafkaLogOptions, KafkaLogPlan } from './options.ts';
import { SinkStates } from './sink-states.ts';
import { SourceCheckpoints } from './source-checkpoints.ts';
import { SourceKeys } from './source-keys.ts';
import { TopicTable } from './topic-table.ts';
import { TransactionLine } from './transaction-line.ts';

/** With the brokers away, what is not durable by then is read again after the next start. */
const CLOSE_MS = 5000;

/**
 * The topics of one pipeline on a Kafka cluster, at-least-once: records by an idempotent producer, positions behind them in a compacted topic, offsets of
 * sinks in consumer groups. Waits for the cluster until `signal` aborts. Rejects with `TOPIC_UNKNOWN` (retryable) when a topic that somebody else makes is not
 * there, and with what the client rejects with: wrong credentials, missing rights.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<TopicLog> {
  const { client, plan, clock, log, signal = new AbortController().signal } = options;
  const topics = new TopicTable({ client, plan, clock, log });
  await topics.open(signal);
  const checkpoints = await CheckpointTopic.open({ client, clock, log }, signal);
  const { transactions } = await client.features(signal);
  assertTransactions(plan, transactions);
  const producer = await client.openProducer({ signal });
  return new KafkaLog({ ...options, topics, checkpoints, producer, transactions });
}

/** Throws `KAFKA_UNSUPPORTED`. */
function assertTransactions({ sources }: KafkaLogPlan, hasTransactions: boolean): void {
  const exact = sources.find(({ isExact }) => isExact);
  if (exact === undefined || hasTransactions) return;
  throw new SluiceError(
    'KAFKA_UNSUPPORTED',
    `opening source "${exact.name}": these brokers have no transactions (Kafka 0.11 and later has them), so set its \`delivery\` to at_least_once`,
  );
}

interface OpenedLog extends KafkaLogOptions {
  readonly topics: TopicTable;
  readonly checkpoints: CheckpointTopic;
  readonly producer: KafkaProducer;
  readonly transactions: boolean;
}

class KafkaLog implements TopicLog {
  readonly partitionsFailApart = true;
  readonly #options: OpenedLog;
  readonly #owner: Owner;
  readonly #over = new AbortController();
  readonly #lanes = new Map<string, SourceLane>();
  readonly #exact = new Map<string, ExactSource>();
  readonly #commits: Commits;
  readonly #subscriptions = new Set<KafkaSubscription>();
  #lost: SluiceError | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: OpenedLog) {
    this.#options = options;
    const { plan, topics, producer, clock } = options;
    this.#owner = { group: options.group, pipeline: plan.pipeline, hubId: options.hubId };
    for (const source of plan.sources)
      if (source.isExact) this.#exact.set(source.name, this.#createExact(source));
      else this.#lanes.set(source.name, this.#createLane(source));
    for (const sink of plan.jobs ?? []) {
      const intents = { name: jobIntents(sink), placement: 'once' } as const;
      this.#lanes.set(intents.name, this.#createLane(intents));
    }
    this.#commits = new Commits({
      lanes: this.#lanes,
      deadLetterTopic: plan.deadLetter?.topic ?? null,
      producer,
      topics,
      clock,
      signal: this.#over.signal,
      onCommitted: (bytes) => {
        this.#count(bytes);
      },
      onFailed: (error) => {
        this.#fail(error);
      },
    });
  }

  get accepting(): boolean {
    return this.#lost === null && !this.#commits.isStuck;
  }

  describe(topic: string): TopicDescription {
    return this.#options.topics.describe(topic);
  }

  async commit(request: CommitRequest): Promise<void> {
    this.#assertUsable('committing');
    const source = request.source ?? request.positions?.[0]?.[0];
    const exact = source === undefined ? undefined : this.#exact.get(source);
    await (exact ?? this.#commits).commit(request);
  }

  async positions(source: string, claim?: PositionClaim): Promise<ReadonlyMap<string, Position>> {
    this.#assertUsable(`loading the positions of source "${source}"`);
    try {
      const exact = this.#exact.get(source);
      if (exact !== undefined) return await exact.positions(claim);
      return await (this.#lanes.get(source)?.checkpoints.positions() ?? new Map<string, Position>());
    } catch (error) {
      this.#assertUsable(`loading the positions of source "${source}"`);
      throw readError(error, `loading the positions of source "${source}"`);
    }
  }

  dedupeIds(source: string): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(this.#commits.dedupeIds.of(source));
  }

  async subscribe(options: SubscribeOptions): Promise<TopicSubscription> {
    await Promise.resolve();
    this.#assertUsable(`subscribing to topic "${options.topic}"`);
    const { client, hubId, member, isStatic, topics, checkpoints, producer, clock, metrics } = this.#options;
    const log = this.#options.log.child({ sink: options.sink });
    topics.describe(options.topic);
    const { sink, topic } = options;
    const now = (): number => clock.now();
    const subscription: KafkaSubscription = new KafkaSubscription({
      ...options,
      owner: this.#owner,
      client,
      topics,
      states: new SinkStates({ owner: this.#owner, sink, topic, checkpoints, producer, now, log }),
      member: { ...member, instanceId: isStatic ? hubId : null },
      clock,
      log,
      metrics,
      onFailed: (error) => {
        this.#fail(error);
      },
      onClosed: () => this.#subscriptions.delete(subscription),
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const { clock, producer } = this.#options;
    const patience = new AbortController();
    const late = clock.sleep(CLOSE_MS, patience.signal).catch(() => undefined);
    await Promise.race([this.#settled(), late]);
    patience.abort();
    this.#over.abort(closedError('waiting'));
    const writers = [...[...this.#lanes.values()].map(({ writer }) => writer), ...this.#exact.values()];
    const closed = writers.map((writer) => writer.close());
    const subscriptions = [...this.#subscriptions].map((subscription) => subscription.abort(closedError('reading')));
    await Promise.all([...closed, ...subscriptions, producer.close()]);
  }

  /** What was committed is answered, and the positions behind it are saved. */
  async #settled(): Promise<void> {
    await Promise.all([this.#commits.settled(), ...[...this.#exact.values()].map((line) => line.settled())]);
    const lanes = [...this.#lanes.values()];
    for (const { checkpoints } of lanes) checkpoints.stop();
    const saves = lanes.map(({ checkpoints }) => checkpoints.save());
    await Promise.allSettled([...saves, ...[...this.#subscriptions].map((subscription) => subscription.settled())]);
  }

  #createLane(source: SourceIdentity): SourceLane {
    const { client, clock, log, producer, transactions } = this.#options;
    const isAlone = source.placement === 'host' || source.placement === 'once';
    const writer =
      isAlone && transactions
        ? new FencedWriter({ client, transactionalId: transactionalId(this.#owner, source), clock })
        : new PlainWriter(producer);
    return {
      source: source.name,
      writer,
      isFenced: writer instanceof FencedWriter,
      checkpoints: new SourceCheckpoints({
        source,
        keys: this.#keysOf(source),
        writer,
        clock,
        log,
        signal: this.#over.signal,
        onFailed: (error) => {
          this.#fail(error);
        },
      }),
      tails: new Map(),
    };
  }

  #createExact(source: SourceIdentity): ExactSource {
    const { client } = this.#options;
    const { signal } = this.#over;
    return new ExactSource({
      keys: this.#keysOf(source),
      createLine: (partition, fence) => this.#createLine(source, partition, fence),
      cluster: async () => (await client.cluster(signal)).id,
      signal,
    });
  }

  #createLine(source: SourceIdentity, partition: string | null, fence: () => SourceFence | null): TransactionLine {
    const { client, clock, log, topics, transactionTimeoutMs } = this.#options;
    const owner = this.#owner;
    return new TransactionLine({
      client,
      transactionalId:
        partition === null ? transactionalId(owner, source) : partitionTransactionalId(owner, source, partition),
      timeoutMs: transactionTimeoutMs,
      keys: this.#keysOf(source),
      topics,
      clock,
      log: log.child({ source: source.name }),
      signal: this.#over.signal,
      fence,
      isShared: partition !== null,
      onCommitted: (requests, bytes) => {
        for (const { dedupe = [] } of requests) for (const id of dedupe) this.#commits.dedupeIds.add(id);
        this.#count(bytes);
      },
      onFailed: (error) => {
        this.#fail(error);
      },
    });
  }

  #keysOf(source: SourceIdentity): SourceKeys {
    const { checkpoints, clock } = this.#options;
    return new SourceKeys({ owner: this.#owner, source, checkpoints, clock });
  }

  #count(bytes: number): void {
    const { metrics } = this.#options;
    metrics.count(METRIC.logCommits.name, 1);
    if (bytes > 0) metrics.count(METRIC.logBytes.name, bytes);
  }

  /** Another hub goes on in this one's place: nothing that this one does counts any more. */
  #fail(error: unknown): void {
    const fault = readError(error, 'writing');
    if (this.#lost !== null || !hasCode(fault, 'KAFKA_FENCED')) return;
    this.#lost = fault;
    for (const subscription of this.#subscriptions) void subscription.abort(fault);
  }

  #assertUsable(action: string): void {
    if (this.#lost !== null) throw this.#lost;
    if (this.#closed !== null) throw closedError(action);
  }
}
