import { SluiceError } from '../../api/index.ts';
import type { GroupGeneration, KafkaEvent, KafkaMember, MemberOptions } from '../client.ts';
import { ClassicGroup } from './classic-group.ts';
import type { Cluster } from './cluster.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { kafkaError } from './errors.ts';
import { EventQueue } from '../common/event-queue.ts';
import { Fetcher } from './fetcher.ts';
import { Holdings } from './holdings.ts';
import { heartbeatLane, type Membership, type MemberTuning } from './membership.ts';
import { nextLane, onceAborted } from './reader.ts';
import { Waiting } from '../common/waiting.ts';

const defaultTuning: MemberTuning = { rebalanceMs: 60_000, watchMs: 10_000 };
/** How long leaving may hold up who closes. */
const LEAVE_MS = 3000;

export function joinNativeGroup(
  cluster: Cluster,
  options: MemberOptions,
  tuning: Partial<MemberTuning> = {},
): KafkaMember {
  return new NativeMember(cluster, options, { ...defaultTuning, ...tuning });
}

class NativeMember implements KafkaMember {
  readonly #cluster: Cluster;
  readonly #group: string;
  readonly #queue = new EventQueue();
  readonly #closing = new AbortController();
  /** It cannot go on. */
  readonly #failing = new AbortController();
  readonly #waiting: Waiting;
  readonly #fetcher: Fetcher;
  readonly #holdings: Holdings;
  readonly #membership: Membership;
  readonly #lane: string;
  readonly #running: Promise<void>;
  readonly #unregister: () => void;

  constructor(cluster: Cluster, options: MemberOptions, tuning: MemberTuning) {
    this.#cluster = cluster;
    this.#group = options.group;
    const queue = this.#queue;
    const signal = AbortSignal.any([this.#closing.signal, this.#failing.signal, cluster.closed]);
    const waiting = new Waiting(cluster.clock, () => undefined);
    this.#waiting = waiting;
    const lane = nextLane();
    this.#lane = `${lane}-group`;
    this.#fetcher = new Fetcher({ cluster, reader: options, lane, queue, waiting, signal });
    const holdings = new Holdings({ queue, fetcher: this.#fetcher, signal });
    this.#holdings = holdings;
    const context = { cluster, options, waiting, holdings, lane: this.#lane, signal, tuning };
    this.#membership = options.protocol === 'classic' ? new ClassicGroup(context) : new ConsumerGroup(context);
    onceAborted(signal, () => {
      queue.end(signal.reason as Error);
    });
    this.#unregister = cluster.beforeClose(() => this.close());
    this.#running = this.#membership.run().catch((error: unknown) => {
      if (signal.aborted) return;
      this.#failing.abort(kafkaError(error, `being a member of group ${JSON.stringify(options.group)}`));
    });
  }

  next(signal: AbortSignal): Promise<KafkaEvent | null> {
    return this.#queue.next(signal);
  }

  /** Of a partition that is being given up nothing is read any more, even if whoever seeks does not know it yet. */
  seek(topic: string, partition: number, offset: number): void {
    if (this.#holdings.mayRead(topic, partition)) this.#fetcher.seek(topic, partition, offset);
  }

  pause(topic: string, partition: number): void {
    this.#fetcher.pause(topic, partition);
  }

  resume(topic: string, partition: number): void {
    this.#fetcher.resume(topic, partition);
  }

  end(topic: string, partition: number): number {
    return this.#fetcher.end(topic, partition);
  }

  get waitingFor(): string | null {
    return this.#waiting.reason;
  }

  get generation(): GroupGeneration | null {
    return this.#membership.generation;
  }

  generationOf(partitions: readonly { readonly topic: string; readonly partition: number }[]): GroupGeneration | null {
    if (this.#closing.signal.aborted) return null;
    const isHeld = partitions.every(({ topic, partition }) => this.#holdings.has(topic, partition));
    return isHeld ? this.#membership.generation : null;
  }

  async commit(
    offsets: readonly { readonly topic: string; readonly partition: number; readonly next: number }[],
  ): Promise<void> {
    if (this.#closing.signal.aborted)
      throw new SluiceError('KAFKA_CLOSED', `saving offsets of group ${JSON.stringify(this.#group)}: it is closed`);
    if (offsets.length > 0) await this.#membership.commit(offsets);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(
      new SluiceError('KAFKA_CLOSED', `reading for group ${JSON.stringify(this.#group)}: it is closed`),
    );
    this.#unregister();
    await this.#running;
    this.#fetcher.close();
    for (const lane of [this.#lane, heartbeatLane(this.#lane)]) this.#cluster.closeLane(lane);
    if (this.#cluster.closed.aborted) return;
    const leaving = this.#membership.leave();
    const { clock, closed, log } = this.#cluster;
    const deadline = new AbortController();
    try {
      await Promise.race([leaving, clock.sleep(LEAVE_MS, AbortSignal.any([closed, deadline.signal]))]);
    } catch (error) {
      // The session time-out lets go of the partitions.
      log.debug({ group: this.#group, error: String(error) }, 'could not leave the consumer group');
    } finally {
      deadline.abort();
    }
  }
}
