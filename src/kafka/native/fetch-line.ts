import type { BufferPool } from '../../record/index.ts';
import type { ReaderOptions } from '../client.ts';
import { abortable } from '../common/abortable.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { Cluster } from './cluster.ts';
import { throwOnCode } from '../common/errors.ts';
import { exchange } from './exchange.ts';
import type { FetchPartition } from './fetch-partition.ts';
import {
  FETCH_API_KEY,
  FETCH_FIRST_BY_ID,
  FETCH_HIGHEST,
  FETCH_LOWEST,
  fetchFrameBytes,
  isFlexibleFetch,
  readFetch,
  writeFetch,
  type FetchAnswer,
  type FetchedPartition,
  type FetchRequest,
} from './fetch-request.ts';
import { patiently } from './patiently.ts';
import { SharedLoan } from './shared-loan.ts';
import type { Waiting } from '../common/waiting.ts';

export interface FetchLineOptions {
  readonly cluster: Cluster;
  readonly waiting: Waiting;
  readonly signal: AbortSignal;
  readonly pool: BufferPool;
  readonly isolation: ReaderOptions['isolation'];
  readonly fetchBytes: number;
  readonly node: number;
  readonly lane: string;
  readonly maxWaitMs: number;
  /** What this line may ask for now, those first whose turn it is. */
  readonly choose: (line: FetchLine) => readonly FetchPartition[];
  readonly topicId: (topic: string) => string | null;
  /** Looks up leaders anew, after a failure. */
  readonly refresh: (line: FetchLine) => Promise<void>;
  readonly onAnswer: (line: FetchLine, answers: readonly PartitionAnswer[], loan: SharedLoan) => void;
}

export interface PartitionAnswer {
  readonly partition: FetchPartition;
  /** Nobody sought the partition while the answer was under way. */
  readonly isFresh: boolean;
  readonly fetched: FetchedPartition;
}

/** One fetch at a time from one broker, on a connection of its own. No free buffer, no fetch. */
export class FetchLine {
  readonly node: number;
  readonly #options: FetchLineOptions;
  /** `sent`: what it asks for is settled until the answer comes. */
  state: 'idle' | 'preparing' | 'sent' = 'idle';
  #hasFailed = false;

  constructor(options: FetchLineOptions) {
    this.node = options.node;
    this.#options = options;
  }

  /** Fetches once, repeated while the broker is away and still the leader of something. */
  async run(): Promise<void> {
    this.state = 'preparing';
    this.#hasFailed = false;
    await patiently(this.#options, `fetching from broker ${this.node}`, async () => {
      try {
        await this.#attempt();
      } catch (error) {
        this.state = 'preparing';
        this.#hasFailed = true;
        throw error;
      }
    });
  }

  async #attempt(): Promise<void> {
    const { cluster, signal, pool, fetchBytes, lane, choose, refresh } = this.#options;
    if (this.#hasFailed) await refresh(this);
    const [first, ...others] = choose(this);
    if (first === undefined) return;
    const broker = await cluster.connection({ node: this.node }, { lane, signal });
    const { neededBytes } = first;
    const frameBytes = fetchFrameBytes(1 + others.length);
    const size = Math.max(fetchBytes, neededBytes > 0 ? neededBytes + frameBytes : 0);
    const loan = new SharedLoan(await pool.acquire(size, signal));
    try {
      // Chosen anew, for the buffer may have been waited for.
      const partitions = choose(this);
      // Of many partitions the answer is read beside the loan, if need be: they get records all the same.
      const maxBytes = Math.max(neededBytes, Math.min(fetchBytes, loan.bytes.length - frameBytes), fetchBytes >> 1);
      if (partitions.length > 0 && partitions[0]!.neededBytes <= maxBytes)
        await this.#fetch(broker, partitions, { loan, maxBytes });
    } finally {
      loan.letGo();
    }
  }

  async #fetch(
    broker: BrokerConnection,
    partitions: readonly FetchPartition[],
    { loan, maxBytes }: { readonly loan: SharedLoan; readonly maxBytes: number },
  ): Promise<void> {
    const { cluster, isolation, maxWaitMs, topicId, onAnswer } = this.#options;
    const asked = new Map<string, { partition: FetchPartition; version: number }>();
    const targets = partitions.map((partition) => {
      const { topic, number, next, version } = partition;
      const id = topicId(topic);
      for (const name of [topic, id]) asked.set(`${name ?? ''} ${number}`, { partition, version });
      const leaderEpoch = cluster.metadata.leader(topic, number)?.epoch ?? -1;
      return { topic, topicId: id, partition: number, leaderEpoch, offset: next };
    });
    const answer = await this.#inFlight(partitions, () =>
      this.#exchange(broker, { isolation, maxWaitMs, maxBytes, targets }, loan),
    );
    broker.throttled(answer.throttleMs);
    throwOnCode(answer.errorCode, `fetching from broker ${broker.address}`);
    const answers = answer.partitions.flatMap((fetched) => {
      const entry = asked.get(`${fetched.topic} ${fetched.partition}`);
      if (entry === undefined) return [];
      return [{ partition: entry.partition, isFresh: entry.partition.version === entry.version, fetched }];
    });
    const fitting = this.#fitting(answers, loan);
    onAnswer(this, answers, fitting);
    if (fitting !== loan) fitting.letGo();
  }

  /** A small loan is enough for the little that came. */
  #fitting(answers: readonly PartitionAnswer[], loan: SharedLoan): SharedLoan {
    const bytes = answers.reduce((sum, { fetched }) => sum + (fetched.records?.length ?? 0), 0);
    const smaller = bytes === 0 || bytes > loan.bytes.length / 2 ? null : this.#options.pool.tryAcquire(bytes);
    if (smaller !== null && smaller.bytes.length < loan.bytes.length) return new SharedLoan(smaller);
    smaller?.release();
    return loan;
  }

  async #inFlight(partitions: readonly FetchPartition[], ask: () => Promise<FetchAnswer>): Promise<FetchAnswer> {
    const versions = partitions.map(({ version }) => version);
    for (const partition of partitions) partition.inFlight = partition.version;
    this.state = 'sent';
    try {
      return await ask();
    } finally {
      // One that was sought meanwhile is asked for anew already.
      for (const [index, partition] of partitions.entries())
        if (partition.inFlight === versions[index]) partition.inFlight = -1;
    }
  }

  async #exchange(broker: BrokerConnection, request: FetchRequest, loan: SharedLoan): Promise<FetchAnswer> {
    const hasIds = request.targets.every(({ topicId }) => topicId !== null);
    const version = broker.version('Fetch', FETCH_LOWEST, hasIds ? FETCH_HIGHEST : FETCH_FIRST_BY_ID - 1);
    const raw = {
      apiKey: FETCH_API_KEY,
      version,
      isFlexible: isFlexibleFetch(version),
      write: () => writeFetch(version, request),
      read: (reader: Parameters<typeof readFetch>[1]) => readFetch(version, reader),
      place: (length: number) => (length > loan.bytes.length ? null : loan.bytes.subarray(0, length)),
    };
    // Whoever stops waiting lets go of the loan, and the answer may still be written to it.
    const letGo = loan.hold();
    const answer = exchange(broker.wire, raw).finally(letGo);
    try {
      return await abortable(answer, this.#options.signal);
    } catch (error) {
      throw broker.failed(error, `fetching from broker ${broker.address}`);
    }
  }
}
