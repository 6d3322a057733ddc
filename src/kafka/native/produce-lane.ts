import type { Clock } from '../../api/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { outcomeOf, outcomeWithout, unanswered, type ProduceOutcome } from './produce-outcome.ts';
import type { ProduceAnswer, ProduceApi } from './produce-request.ts';
import type { ProducerBatch } from './producer-batch.ts';
import type { ProducerPartition } from './producer-partition.ts';

/** A broker handles the requests of one connection one by one: more of them only wait there. */
const MOST_REQUESTS = 5;
/** A broker takes 100 MiB by default; a broken connection repeats a request whole. */
const MOST_REQUEST_BYTES = 8 * 1024 * 1024;

/** The version of Produce that came with the compression. */
const FIRST_WITH_ZSTD = 7;

/** How long an answer may take before it is said. */
const SAID_AFTER_MS = 1000;

type Batches = Map<string, Map<number, ProducerBatch>>;

export interface ProduceLaneOptions {
  readonly node: number;
  readonly connect: () => Promise<BrokerConnection>;
  readonly apis: readonly ProduceApi[];
  readonly transactionalId: string | null;
  /** How long a broker may wait for its replicas. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly signal: AbortSignal;
  readonly onLanded: (batch: ProducerBatch, outcome: ProduceOutcome) => void;
  /** The broker could not be connected to; none of the batches departed. */
  readonly onUnreachable: (partition: ProducerPartition, error: unknown) => void;
}

/**
 * What goes to one broker. A request departs at once, with one batch of each partition that has one to depart, up to five in a row; what comes
 * meanwhile makes up the next one. There is no timer: under load the requests fill by themselves.
 */
export class ProduceLane {
  readonly #options: ProduceLaneOptions;
  /** In turn, so that none starves. */
  readonly #ready = new Set<ProducerPartition>();
  #connection: BrokerConnection | null = null;
  /** When the requests in flight departed, the oldest first. */
  readonly #flights = new Set<{ readonly sinceMs: number }>();
  #isScheduled = false;
  /** While it connects, or the broker asked for a pause. */
  #isResting = false;

  constructor(options: ProduceLaneOptions) {
    this.#options = options;
  }

  /** To be called whenever a partition may have become ready. */
  offer(partition: ProducerPartition): void {
    this.#ready.add(partition);
    // What is offered in one turn departs together.
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#depart();
    });
  }

  /** Its answer, once that has lasted a second. */
  get waitingFor(): string | null {
    const [oldest] = this.#flights;
    const isLong = oldest !== undefined && this.#options.clock.monotonic() - oldest.sinceMs >= SAID_AFTER_MS;
    return isLong ? `broker ${this.#options.node} does not answer a produce request` : null;
  }

  #depart(): void {
    while (!this.#isResting && this.#flights.size < MOST_REQUESTS && !this.#options.signal.aborted) {
      const connection = this.#connection;
      if (connection?.isOpen !== true) {
        // What is in flight on the old connection has to land first, or it would overtake or be overtaken.
        if (this.#flights.size === 0 && this.#ready.size > 0) void this.#rest(() => this.#connect());
        return;
      }
      const batches = this.#gather();
      if (batches.size === 0) return;
      void this.#fly(connection, batches);
    }
  }

  async #rest(until: () => Promise<void>): Promise<void> {
    this.#isResting = true;
    try {
      await until();
    } finally {
      this.#isResting = false;
    }
    this.#depart();
  }

  async #connect(): Promise<void> {
    try {
      this.#connection = await this.#options.connect();
    } catch (error) {
      const partitions = [...this.#ready];
      this.#ready.clear();
      for (const partition of partitions) this.#options.onUnreachable(partition, error);
    }
  }

  #gather(): Batches {
    const batches: Batches = new Map();
    let room = MOST_REQUEST_BYTES;
    for (const partition of [...this.#ready]) {
      if (partition.isReady() && partition.nextBytes > room && batches.size > 0) break;
      this.#ready.delete(partition);
      if (!partition.isReady()) continue;
      const batch = partition.depart();
      room -= batch.bytes.length;
      const ofTopic = batches.get(partition.topic);
      if (ofTopic === undefined) batches.set(partition.topic, new Map([[partition.partition, batch]]));
      else ofTopic.set(partition.partition, batch);
      if (partition.isReady()) this.#ready.add(partition);
    }
    return batches;
  }

  async #fly(broker: BrokerConnection, batches: Batches): Promise<void> {
    const flight = { sinceMs: this.#options.clock.monotonic() };
    this.#flights.add(flight);
    let answer: ProduceAnswer | null = null;
    let failure: unknown = unanswered;
    try {
      const { apis, transactionalId, timeoutMs } = this.#options;
      const answering = broker.call(apis, { transactionalId, timeoutMs, batches });
      crashPoint('produce-sent');
      answer = await answering;
      crashPoint('produce-acknowledged');
    } catch (error) {
      failure = error;
    }
    this.#flights.delete(flight);
    this.#land(batches, { answer, failure, knowsZstd: broker.speaks('Produce', FIRST_WITH_ZSTD) });
    const { signal } = this.#options;
    const isThrottled = (answer?.throttleTimeMs ?? 0) > 0 && !this.#isResting;
    if (isThrottled) void this.#rest(() => broker.untilUnthrottled(signal).catch(() => undefined));
    else this.#depart();
  }

  #land(
    batches: Batches,
    { answer, failure, knowsZstd }: { answer: ProduceAnswer | null; failure: unknown; knowsZstd: boolean },
  ): void {
    for (const partition of answer?.partitions ?? []) {
      const ofTopic = batches.get(partition.topic);
      const batch = ofTopic?.get(partition.partition);
      if (batch === undefined) continue;
      ofTopic!.delete(partition.partition);
      this.#options.onLanded(batch, outcomeOf(partition, batch, knowsZstd));
    }
    for (const ofTopic of batches.values())
      for (const batch of ofTopic.values()) this.#options.onLanded(batch, outcomeWithout(failure, batch));
  }
}
