import { describeError, SluiceError } from '../../api/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import type { GroupGeneration } from '../client.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { Cluster } from './cluster.ts';
import { KafkaError, protocolError } from '../common/errors.ts';
import { UNKNOWN_TO_WRITERS_MS } from '../common/unknown-topic.ts';
import type { ProducerIdentity } from './producer-partition.ts';
import * as requests from './transaction-requests.ts';

const UNKNOWN_TOPIC_OR_PARTITION = 3;
const INVALID_TXN_STATE = 48;
const OPERATION_NOT_ATTEMPTED = 55;
const TRANSACTIONAL_ID_NOT_FOUND = 105;
const ABORTED_STATES = new Set(['PrepareAbort', 'CompleteAbort']);
const ENDED_STATES = new Set([...ABORTED_STATES, 'PrepareCommit', 'CompleteCommit']);
/** Of the feature `transaction.version`. */
const LEVEL_OF_PROTOCOL_2 = 2;
const LANE = 'transaction';

type TransactionState = Pick<
  Awaited<ReturnType<(typeof requests.describeTransactionsApis)[0]['async']>>['transactionStates'][number],
  'producerEpoch' | 'producerId' | 'transactionState'
>;

export interface GroupOffsetToSend {
  readonly topic: string;
  readonly partition: number;
  readonly next: number;
}

/** The outcome of a request is unknown: it may or may not have taken effect, and may do so yet. */
export class UnknownOutcome extends KafkaError {
  constructor(doing: string, cause: unknown) {
    const matter = `the outcome is unknown (${describeError(cause)}); a producer opened anew under the same transactional id finds out`;
    super('KAFKA_TRANSACTION', 'fatal', doing, matter, cause);
  }
}

/** What a transactional producer asks of the coordinators. Waits while they are away or on the move. */
export class TransactionCoordinator {
  readonly #cluster: Cluster;
  readonly #transactionalId: string;
  readonly #timeoutMs: number;
  readonly #highestProtocol: 1 | 2;
  readonly #signal: AbortSignal;
  /** 2: KIP-890. As found when the id was initialised. */
  #protocol: 1 | 2 = 1;
  #canRaiseEpoch = false;

  constructor(options: {
    readonly cluster: Cluster;
    readonly transactionalId: string;
    readonly timeoutMs: number;
    readonly highestProtocol: 1 | 2;
    readonly signal: AbortSignal;
  }) {
    this.#cluster = options.cluster;
    this.#transactionalId = options.transactionalId;
    this.#timeoutMs = options.timeoutMs;
    this.#highestProtocol = options.highestProtocol;
    this.#signal = options.signal;
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  get protocol(): 1 | 2 {
    return this.#protocol;
  }

  /** Kafka 2.5 and later. */
  get canRaiseEpoch(): boolean {
    return this.#canRaiseEpoch;
  }

  /** Takes over the transactional id: ends an open transaction and fences whoever used it before. */
  initialise(signal: AbortSignal): Promise<ProducerIdentity> {
    return this.#initialise(null, signal);
  }

  /**
   * Raises the epoch of an identity under which nothing is open, so that sequences begin anew. Never to be asked by one who may have been fenced: the coordinator
   * aborts what is open under the id before it looks at the epoch, and that would be the transaction of whoever took over.
   */
  raiseEpoch(identity: ProducerIdentity): Promise<ProducerIdentity> {
    return this.#initialise(identity, this.#signal);
  }

  /**
   * Whether the coordinator aborted the transaction of an identity that it no longer takes, because it took too long; else another instance took over the id.
   * For its time-out the coordinator raises the epoch by one, for a take-over it does so again. False where it cannot be asked, before Kafka 3.0.
   */
  async wasTimedOut({ producerId, epoch }: ProducerIdentity): Promise<boolean> {
    const state = await this.#describe();
    if (state === null || !ABORTED_STATES.has(state.transactionState)) return false;
    return Number(state.producerId) === producerId && state.producerEpoch === epoch + 1;
  }

  /**
   * Whether another instance took over the id of one who does not know how its last transaction ended. The end itself may have raised the epoch by one, or begun
   * another producer id when there was no next epoch; then a transaction was ended last. False where it cannot be asked, before Kafka 3.0.
   */
  async wasReplaced({ producerId, epoch }: ProducerIdentity): Promise<boolean> {
    const state = await this.#describe();
    if (state === null) return false;
    const isSameId = Number(state.producerId) === producerId;
    if (isSameId && state.producerEpoch === epoch) return false;
    const isNext = isSameId ? state.producerEpoch === epoch + 1 : state.producerEpoch === 0;
    return !isNext || !ENDED_STATES.has(state.transactionState);
  }

  /** Null where it cannot be asked, or the coordinator knows nothing of the id. */
  async #describe(): Promise<TransactionState | null> {
    const doing = `looking at the transaction ${this.#name}`;
    return this.#ask(doing, async (broker) => {
      if (!broker.speaks('DescribeTransactions', 0)) return null;
      const { transactionStates } = await broker.call(requests.describeTransactionsApis, [this.#transactionalId]);
      const [found] = transactionStates;
      if (found?.errorCode === TRANSACTIONAL_ID_NOT_FOUND) return null;
      if (found !== undefined && found.errorCode !== 0) throw protocolError(found.errorCode, doing);
      return found ?? null;
    });
  }

  /** Protocol 1: before the first batch of a partition in a transaction. */
  async addPartitions(
    { producerId, epoch }: ProducerIdentity,
    partitions: ReadonlyMap<string, readonly number[]>,
  ): Promise<void> {
    const doing = `adding partitions to the transaction ${this.#name}`;
    const topics = [...partitions].map(([name, numbers]) => ({ name, partitions: [...numbers] }));
    await this.#askWithGrace(doing, async (broker) => {
      const { resultsByTransaction } = await broker.call(requests.addPartitionsToTxnApis, [
        {
          transactionalId: this.#transactionalId,
          producerId: BigInt(producerId),
          producerEpoch: epoch,
          verifyOnly: false,
          topics,
        },
      ]);
      const results = resultsByTransaction.flatMap(({ topicResults }) => topicResults);
      return results.flatMap(({ resultsByPartition }) => resultsByPartition.map((result) => result.partitionErrorCode));
    });
  }

  /** Protocol 1: before the first offsets of a group in a transaction. */
  async addGroup({ producerId, epoch }: ProducerIdentity, group: string): Promise<void> {
    const doing = `adding group ${JSON.stringify(group)} to the transaction ${this.#name}`;
    await this.#ask(doing, async (broker) => {
      const { errorCode } = await broker.call(
        requests.addOffsetsToTxnApis,
        this.#transactionalId,
        BigInt(producerId),
        epoch,
        group,
      );
      if (errorCode !== 0) throw protocolError(errorCode, doing);
    });
  }

  async commitOffsets(
    { producerId, epoch }: ProducerIdentity,
    { group, generation, memberId, instanceId }: GroupGeneration,
    offsets: readonly GroupOffsetToSend[],
  ): Promise<void> {
    const doing = `committing offsets of group ${JSON.stringify(group)} in the transaction ${this.#name}`;
    const apis = this.#protocol === 2 ? requests.txnOffsetCommitProtocol2Apis : requests.txnOffsetCommitApis;
    const ids = [this.#transactionalId, group, BigInt(producerId), epoch] as const;
    const member = [generation, memberId, instanceId] as const;
    await this.#askWithGrace(
      doing,
      async (broker) => {
        const answer = await broker.call(apis, ...ids, ...member, topicsOf(offsets));
        return answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
      },
      { coordinator: 'group', key: group },
    );
  }

  /**
   * Resolves with the identity of the next transaction. Rejects with an `UnknownOutcome` when there was no answer. Aborting where nothing is open is no error.
   */
  async end(identity: ProducerIdentity, isCommit: boolean): Promise<ProducerIdentity> {
    const doing = `${isCommit ? 'committing' : 'aborting'} the transaction ${this.#name}`;
    const { producerId, epoch } = identity;
    const args = [this.#transactionalId, BigInt(producerId), epoch, isCommit] as const;
    return this.#ask(doing, async (broker) => {
      const ending =
        this.#protocol === 2
          ? broker.call(requests.endTxnProtocol2Apis, ...args)
          : broker.call(requests.endTxnApis, ...args);
      crashPoint('end-transaction-sent');
      const answer = await ending.catch((cause: unknown) => {
        throw new UnknownOutcome(doing, cause);
      });
      if (answer.errorCode === INVALID_TXN_STATE && !isCommit) return identity;
      if (answer.errorCode !== 0) throw protocolError(answer.errorCode, doing);
      return nextIdentity(answer) ?? identity;
    });
  }

  get #name(): string {
    return JSON.stringify(this.#transactionalId);
  }

  #initialise(before: ProducerIdentity | null, signal: AbortSignal): Promise<ProducerIdentity> {
    const doing = `initialising the transactional id ${this.#name}`;
    return this.#ask(
      doing,
      async (broker) => {
        this.#learn(broker);
        const identity = before === null ? ([] as const) : ([BigInt(before.producerId), before.epoch] as const);
        const apis = requests.initProducerIdApis;
        const answer = await broker.call(apis, this.#transactionalId, this.#timeoutMs, ...identity);
        if (answer.errorCode !== 0) throw protocolError(answer.errorCode, doing);
        return { producerId: Number(answer.producerId), epoch: answer.producerEpoch };
      },
      signal,
    );
  }

  #learn(broker: BrokerConnection): void {
    const speaks = broker.speaks('EndTxn', 5) && broker.speaks('TxnOffsetCommit', 5) && broker.speaks('Produce', 12);
    const isFinal = broker.feature('transaction.version') >= LEVEL_OF_PROTOCOL_2;
    this.#protocol = this.#highestProtocol === 2 && speaks && isFinal ? 2 : 1;
    this.#canRaiseEpoch = broker.speaks('InitProducerId', requests.FIRST_INIT_WITH_EPOCH);
  }

  #ask<R>(doing: string, attempt: (broker: BrokerConnection) => Promise<R>, signal = this.#signal): Promise<R> {
    const target = { coordinator: 'transaction', key: this.#transactionalId } as const;
    return this.#cluster.retrying(
      doing,
      async () => attempt(await this.#cluster.connection(target, { lane: LANE, signal })),
      signal,
    );
  }

  /** `attempt` resolves with the codes of its answer. */
  #askWithGrace(
    doing: string,
    attempt: (broker: BrokerConnection) => Promise<readonly number[]>,
    target: { readonly coordinator: 'group' | 'transaction'; readonly key: string } = {
      coordinator: 'transaction',
      key: this.#transactionalId,
    },
  ): Promise<void> {
    const until = this.#cluster.clock.monotonic() + UNKNOWN_TO_WRITERS_MS;
    const once = async (): Promise<void> => {
      const broker = await this.#cluster.connection(target, { lane: LANE, signal: this.#signal });
      const code = worstOf(await attempt(broker));
      if (code === UNKNOWN_TOPIC_OR_PARTITION && this.#cluster.clock.monotonic() >= until)
        throw new SluiceError('TOPIC_UNKNOWN', `${doing}: a topic or partition does not exist`);
      if (code !== 0) throw protocolError(code, doing);
    };
    return this.#cluster.retrying(doing, once, this.#signal);
  }
}

function nextIdentity(answer: requests.EndTxnAnswer | requests.EndTxnProtocol2Answer): ProducerIdentity | null {
  return 'producerId' in answer ? { producerId: Number(answer.producerId), epoch: answer.producerEpoch } : null;
}

/** The code that says why: where one partition is refused, the others are not attempted. */
function worstOf(codes: readonly number[]): number {
  const failed = codes.filter((code) => code !== 0);
  return failed.find((code) => code !== OPERATION_NOT_ATTEMPTED) ?? failed[0] ?? 0;
}

function topicsOf(offsets: readonly GroupOffsetToSend[]): requests.TxnOffsetCommitArguments[7] {
  const topics = new Map<string, requests.TxnOffsetCommitArguments[7][number]['partitions']>();
  for (const { topic, partition, next } of offsets) {
    const partitions = topics.get(topic) ?? [];
    topics.set(topic, partitions);
    partitions.push({
      partitionIndex: partition,
      committedOffset: BigInt(next),
      committedLeaderEpoch: -1,
      committedMetadata: '',
    });
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }));
}
