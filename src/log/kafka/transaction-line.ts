import {
  describeError,
  type Clock,
  type Logger,
  type Position,
  type SluiceError,
  type SourceFence,
} from '../../api/index.ts';
import type { KafkaClient, KafkaProducer } from '../../kafka/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import type { CommitRequest } from '../topic-log.ts';
import { sendAll } from './checkpoint-writer.ts';
import { explainRefusal } from './explain-refusal.ts';
import { closedError, fencedError, hasCode, rebalancedError, writeError } from './log-errors.ts';
import { OpenTransaction } from './open-transaction.ts';
import type { SourceKeys } from './source-keys.ts';
import type { TopicTable } from './topic-table.ts';

/** What becomes visible together. */
export const COMMIT_AFTER_MS = 500;
export const COMMIT_AFTER_BYTES = 64 * 1024 * 1024;

export interface TransactionLineOptions {
  readonly client: KafkaClient;
  readonly transactionalId: string;
  readonly timeoutMs: number;
  readonly keys: SourceKeys;
  readonly topics: TopicTable;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the log: ends everything. */
  readonly signal: AbortSignal;
  /** What fences a source that shares its partitions with others through a consumer group of this cluster. */
  readonly fence: () => SourceFence | null;
  /** Another hub may take over the id while this one goes on with others: the group gave it the partition. */
  readonly isShared: boolean;
  readonly onCommitted: (requests: readonly CommitRequest[], bytes: number) => void;
  readonly onFailed: (error: SluiceError) => void;
}

/**
 * Transactions of one id, one after the other: one gathers requests while the one before is being committed. After one that failed everything is refused until
 * the positions were asked for again, since what comes later would be saved over a gap.
 */
export class TransactionLine {
  readonly #options: TransactionLineOptions;
  #producer: Promise<KafkaProducer> | null = null;
  #open: OpenTransaction | null = null;
  /** The end of the last transaction that was asked to end. */
  #turn: Promise<void> = Promise.resolve();
  /** The answers to what had gathered behind a transaction that failed. */
  #dropped: Promise<void> = Promise.resolve();
  #isEnding = false;
  #failure: SluiceError | null = null;
  /** As known to be committed. */
  #saved = new Map<string, Position>();
  #isClosed = false;

  constructor(options: TransactionLineOptions) {
    this.#options = options;
  }

  /** Everything up to the first `await` runs within the call: that is what keeps the order. */
  commit(request: CommitRequest): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const { batches = [] } = request;
    const transaction = (this.#open ??= this.#begin());
    const committed = transaction.add(request, () => {
      this.#options.topics.assertTargets(batches);
    });
    // Positions alone are waited for by somebody: where a partition begins, or that it is gone.
    if (!transaction.hasBatches || transaction.bytes >= COMMIT_AFTER_BYTES) this.#due(transaction);
    return committed;
  }

  /**
   * Whoever used the transactional id before is out from then on, and what was open under it is ended. Resolves with what is to be called with the positions
   * that are saved then. `anew`: somebody else may have used the id since this line did.
   */
  async takeOver(anew: boolean): Promise<(saved: ReadonlyMap<string, Position>) => void> {
    await this.#turn;
    const failure = this.#failure;
    if (hasCode(failure, 'KAFKA_FENCED')) throw failure;
    if (anew) await this.#letGo();
    await this.#opened();
    return (saved) => {
      this.#saved = new Map(saved);
      if (this.#failure === failure) this.#failure = null;
    };
  }

  /** Resolves when what was called before is answered. */
  async settled(): Promise<void> {
    while (this.#open !== null || this.#isEnding) {
      if (this.#open !== null) this.#due(this.#open);
      await this.#turn;
    }
    await this.#dropped;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#letGo();
    await this.#turn;
  }

  async #letGo(): Promise<void> {
    const producer = await this.#producer?.catch(() => null);
    this.#producer = null;
    await producer?.close();
  }

  #begin(): OpenTransaction {
    const producer = this.#turn.then(() => {
      if (this.#failure !== null) throw this.#failure;
      return this.#opened();
    });
    const transaction = new OpenTransaction(producer, () => {
      this.#due(transaction);
    });
    const { clock } = this.#options;
    clock.sleep(COMMIT_AFTER_MS, transaction.over).then(
      () => {
        this.#due(transaction);
      },
      () => undefined,
    );
    this.#warnWhenSlow(transaction);
    return transaction;
  }

  #warnWhenSlow({ over }: OpenTransaction): void {
    const { clock, log, timeoutMs, transactionalId } = this.#options;
    clock.sleep(timeoutMs / 2, over).then(
      () => {
        const message =
          'a transaction lasts longer than half of client.transaction_timeout, after which the broker aborts it and its records are read again';
        log.warn({ transactionalId, transactionTimeoutMs: timeoutMs }, message);
      },
      () => undefined,
    );
  }

  #due(transaction: OpenTransaction): void {
    transaction.isDue = true;
    if (this.#open !== transaction || this.#isEnding) return;
    this.#open = null;
    this.#isEnding = true;
    this.#turn = this.#end(transaction).then(() => {
      this.#isEnding = false;
      if (this.#open?.isDue === true) this.#due(this.#open);
    });
  }

  async #end(transaction: OpenTransaction): Promise<void> {
    const { onCommitted } = this.#options;
    let producer: KafkaProducer | null = null;
    try {
      producer = await this.#opened();
      await transaction.written();
      // Acknowledged before the group has the offsets: whoever gets a partition next finds the transaction in the way of reading its position.
      await sendAll(producer, this.#options.keys.encode(transaction.positions));
      await this.#sendOffsets(producer, transaction.positions);
      crashPoint('before-end-transaction');
      await producer.commitTransaction();
    } catch (thrown) {
      await this.#fail(transaction, producer, thrown);
      return;
    }
    for (const [partition, position] of transaction.positions)
      if (position === null) this.#saved.delete(partition);
      else this.#saved.set(partition, position);
    onCommitted(transaction.requests, transaction.bytes);
    await transaction.settle(null);
  }

  async #sendOffsets(producer: KafkaProducer, positions: OpenTransaction['positions']): Promise<void> {
    const fence = this.#options.fence();
    const moved = [...positions].flatMap(([partition, position]) =>
      position === null ? [] : [[partition, position] as const],
    );
    if (fence === null || moved.length === 0) return;
    const group = fence.offsetsOf(moved);
    if (group === null) throw rebalancedError('committing a transaction');
    await producer.sendOffsets(group, group.offsets);
  }

  async #fail(transaction: OpenTransaction, producer: KafkaProducer | null, thrown: unknown): Promise<void> {
    const { log, transactionalId, onFailed } = this.#options;
    const { error: cause, batches } = transaction.refusal ?? { error: thrown, batches: [] };
    let error = this.#told(writeError(cause, 'committing a transaction'));
    this.#failure = error;
    let isCommitted = false;
    try {
      error = this.#told(await explainRefusal(cause, batches, this.#options));
      if (hasCode(error, 'KAFKA_FENCED', 'KAFKA_REBALANCED')) throw error;
      if (producer?.isOver === true) isCommitted = await this.#findOut(transaction, producer);
      else await producer?.abortTransaction();
    } catch (failed) {
      error = this.#told(writeError(failed, 'ending a transaction'));
    }
    this.#failure = error;
    if (!isCommitted) log.warn({ transactionalId, cause: describeError(error) }, 'transaction was aborted');
    onFailed(error);
    const next = this.#open;
    this.#open = null;
    await transaction.settle(isCommitted ? null : error);
    // Not within this turn: what had gathered waits for its end.
    if (next !== null) this.#dropped = next.settle(error);
  }

  /** A partition that the group gave to another hub is no reason to stop. */
  #told(error: SluiceError): SluiceError {
    return this.#options.isShared && hasCode(error, 'KAFKA_FENCED')
      ? rebalancedError('committing a transaction')
      : error;
  }

  /** Was it committed? Opening the id again ends what is open under it; then what is saved tells. */
  async #findOut({ positions, requests, bytes }: OpenTransaction, producer: KafkaProducer): Promise<boolean> {
    const { keys, signal, onCommitted, transactionalId } = this.#options;
    signal.throwIfAborted();
    if (await producer.wasReplaced()) throw fencedError(`using the transactional id "${transactionalId}"`);
    await this.#letGo();
    await this.#opened();
    const saved = await keys.read(signal);
    const isSaved = (map: ReadonlyMap<string, Position>): boolean =>
      [...positions].every(([name, position]) => JSON.stringify(map.get(name) ?? null) === JSON.stringify(position));
    // Positions that did not move tell nothing; then the source starts from them again, which is right in both cases.
    const isCommitted = isSaved(saved) && !isSaved(this.#saved);
    if (isCommitted) onCommitted(requests, bytes);
    this.#saved = saved;
    return isCommitted;
  }

  #opened(): Promise<KafkaProducer> {
    if (this.#isClosed) return Promise.reject(closedError('committing'));
    if (this.#producer !== null) return this.#producer;
    const { client, transactionalId, timeoutMs: transactionTimeoutMs, signal } = this.#options;
    const opening = client.openProducer({ transactionalId, transactionTimeoutMs, signal });
    this.#producer = opening;
    opening.catch(() => {
      if (this.#producer === opening) this.#producer = null;
    });
    return opening;
  }
}
