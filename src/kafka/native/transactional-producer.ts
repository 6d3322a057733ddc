import { SluiceError } from '../../api/index.ts';
import type { GroupGeneration, KafkaProducer } from '../client.ts';
import type { Cluster } from './cluster.ts';
import { KafkaError, ProtocolError } from '../common/errors.ts';
import { kafkaError } from './errors.ts';
import { PartitionsToAdd } from './partitions-to-add.ts';
import { ProduceEngine, producerClosed } from './produce-engine.ts';
import { produceApis } from './produce-request.ts';
import type { ProducerIdentity, ProducerPartition } from './producer-partition.ts';
import { TransactionCoordinator, UnknownOutcome, type GroupOffsetToSend } from './transaction-coordinator.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
/** How long closing waits for an open transaction to be aborted; else the next owner of the id does it, or the broker when its time is over. */
const CLOSING_PATIENCE_MS = 2000;
/** From the next version on Produce adds partitions to transactions by itself. */
const LAST_PRODUCE_OF_PROTOCOL_1 = 11;
/** INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED: said to one who was fenced, and to one whose transaction took too long. */
const IDENTITY_CODES = new Set([47, 49, 90]);

export interface TransactionalProducerOptions {
  readonly cluster: Cluster;
  readonly transactionalId: string;
  readonly timeoutMs: number | undefined;
  readonly highestProduce?: number;
  readonly highestProtocol?: 1 | 2;
}

interface Parts {
  readonly options: TransactionalProducerOptions;
  readonly coordinator: TransactionCoordinator;
  readonly identity: ProducerIdentity;
  readonly closing: AbortController;
  readonly signal: AbortSignal;
}

/** A call that came while a transaction was being ended: it belongs to the next one. */
interface Postponed {
  readonly start: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Transactions of one id, one after the other. One that meets an error which waiting does not mend is broken: everything in it rejects, and it can only be
 * aborted. An end without an answer leaves the producer dead, since a repetition of the request might end the next transaction: whoever opens a new one
 * under the same id ends this one for good, and finds out.
 */
export class TransactionalProducer implements KafkaProducer {
  readonly #cluster: Cluster;
  readonly #name: string;
  readonly #closing: AbortController;
  readonly #signal: AbortSignal;
  readonly #coordinator: TransactionCoordinator;
  readonly #engine: ProduceEngine;
  readonly #partitionsToAdd: PartitionsToAdd;
  readonly #groups = new Set<string>();
  readonly #postponed: Postponed[] = [];
  #identity: ProducerIdentity;
  #phase: 'idle' | 'open' | 'ending' = 'idle';
  /** Why the transaction has to be aborted. */
  #broken: SluiceError | null = null;
  /** Finds out whether the producer was fenced, or its transaction took too long. */
  #question: Promise<void> | null = null;
  /** Who goes on when the broken transaction is over. */
  #successor: ProducerIdentity | null = null;
  /** Why nothing goes on. */
  #dead: SluiceError | null = null;
  #offsetsInFlight = 0;
  #onLanded: (() => void) | null = null;

  /** Resolves when the id is initialised. */
  static async open(options: TransactionalProducerOptions, signal: AbortSignal): Promise<TransactionalProducer> {
    const { cluster, transactionalId, timeoutMs = DEFAULT_TIMEOUT_MS, highestProtocol = 2 } = options;
    const closing = new AbortController();
    const untilClosed = AbortSignal.any([closing.signal, cluster.closed]);
    const coordinator = new TransactionCoordinator({
      cluster,
      transactionalId,
      timeoutMs,
      highestProtocol,
      signal: untilClosed,
    });
    const identity = await coordinator.initialise(signal);
    return new TransactionalProducer({ options, coordinator, identity, closing, signal: untilClosed });
  }

  private constructor({ options, coordinator, identity, closing, signal }: Parts) {
    const { cluster, transactionalId, highestProduce } = options;
    const ofProtocol1 = Math.min(highestProduce ?? LAST_PRODUCE_OF_PROTOCOL_1, LAST_PRODUCE_OF_PROTOCOL_1);
    this.#cluster = cluster;
    this.#name = JSON.stringify(transactionalId);
    this.#closing = closing;
    this.#signal = signal;
    this.#coordinator = coordinator;
    this.#identity = identity;
    this.#partitionsToAdd = new PartitionsToAdd((partitions) => coordinator.addPartitions(this.#identity, partitions));
    this.#engine = new ProduceEngine({
      cluster,
      transactionalId,
      apis: produceApis(coordinator.protocol === 2 ? highestProduce : ofProtocol1),
      signal,
      policy: {
        identity: () => this.#identity,
        isStopped: () => this.#broken !== null || this.#dead !== null,
        admit: (partition) => this.#admit(partition),
        onLost: (_, error) => {
          this.#break(error);
        },
        onRefused: (error) => {
          this.#break(error);
        },
        onLanded: () => this.#onLanded?.(),
        newIdentity: () => Promise.reject(new Error('a transactional identity is the coordinator’s to give')),
      },
    });
    signal.addEventListener('abort', () => {
      this.#die(signal.reason as Error);
    });
  }

  get waitingFor(): string | null {
    return this.#engine.waitingFor ?? (this.#phase === 'ending' ? this.#cluster.waitingFor : null);
  }

  send(topic: string, partition: number, bytes: Buffer): Promise<number> {
    return this.#within(() => this.#engine.send(topic, partition, bytes));
  }

  sendOffsets(group: GroupGeneration, offsets: readonly GroupOffsetToSend[]): Promise<void> {
    return this.#within(() => this.#sendOffsets(group, offsets));
  }

  commitTransaction(): Promise<void> {
    return this.#end(true);
  }

  abortTransaction(): Promise<void> {
    return this.#end(false);
  }

  get isOver(): boolean {
    return this.#dead !== null;
  }

  wasReplaced(): Promise<boolean> {
    return this.#coordinator.wasReplaced(this.#identity);
  }

  async close(): Promise<void> {
    if (this.#signal.aborted) return;
    if (this.#phase === 'open') await this.#abortForAWhile();
    this.#closing.abort(producerClosed());
  }

  /** As part of the transaction that is open, or of a new one. */
  #within<R>(call: () => Promise<R>): Promise<R> {
    const refusal = this.#dead ?? this.#broken;
    if (refusal !== null) return Promise.reject(refusal);
    if (this.#phase === 'ending')
      return new Promise((resolve, reject) => {
        const start = (): void => {
          resolve(this.#within(call));
        };
        this.#postponed.push({ start, reject });
      });
    this.#phase = 'open';
    return call();
  }

  async #sendOffsets(group: GroupGeneration, offsets: readonly GroupOffsetToSend[]): Promise<void> {
    this.#offsetsInFlight++;
    try {
      if (this.#coordinator.protocol === 1 && !this.#groups.has(group.group)) {
        await this.#coordinator.addGroup(this.#identity, group.group);
        this.#groups.add(group.group);
      }
      await this.#coordinator.commitOffsets(this.#identity, group, offsets);
    } catch (error) {
      throw await this.#breakWith(error, 'committing offsets in a transaction');
    } finally {
      this.#offsetsInFlight--;
      this.#onLanded?.();
    }
  }

  async #admit(partition: ProducerPartition): Promise<void> {
    if (this.#coordinator.protocol === 2) return;
    try {
      await this.#partitionsToAdd.add(partition);
    } catch (error) {
      throw await this.#breakWith(error, 'adding partitions to a transaction');
    } finally {
      this.#onLanded?.();
    }
  }

  /** What the caller is told. */
  async #breakWith(error: unknown, doing: string): Promise<SluiceError> {
    const cause = kafkaError(error, doing);
    this.#break(cause);
    await this.#question;
    if (this.#dead !== null) return this.#dead;
    return isOfIdentity(cause) ? (this.#broken ?? cause) : cause;
  }

  #break(cause: SluiceError): void {
    if (this.#broken !== null || this.#dead !== null) return;
    this.#broken = new KafkaError(
      'KAFKA_TRANSACTION',
      'fatal',
      `a transaction of ${this.#name}`,
      `it has to be aborted, and its records sent again: ${cause.message}`,
      cause,
    );
    const question = isOfIdentity(cause) ? this.#askWhetherFenced(cause) : Promise.resolve();
    this.#question = question.then(() => {
      this.#question = null;
      if (this.#broken !== null) this.#engine.abandon(this.#dead ?? this.#broken);
      this.#onLanded?.();
    });
  }

  async #askWhetherFenced(cause: SluiceError): Promise<void> {
    try {
      // One that had nothing at the coordinator cannot have taken too long there.
      const hadBegun = this.#coordinator.protocol === 2 || this.#partitionsToAdd.hasAdded || this.#groups.size > 0;
      if (!hadBegun || !(await this.#coordinator.wasTimedOut(this.#identity))) throw cause;
      this.#broken = tookTooLong(this.#name, this.#coordinator.timeoutMs, cause);
      this.#successor = await this.#coordinator.raiseEpoch(this.#identity);
    } catch (error) {
      this.#die(kafkaError(error, `using the transactional id ${this.#name}`));
    }
  }

  /** Aborts the broken transaction. */
  async #abort(): Promise<void> {
    const doing = `aborting a transaction of ${this.#name}`;
    try {
      const after = await this.#coordinator.end(this.#identity, false);
      if (!isSame(after, this.#identity)) this.#successor = after;
      // What was not acknowledged leaves the sequences unknown for as long as the epoch stays what it is.
      else if (this.#coordinator.canRaiseEpoch) this.#successor = await this.#coordinator.raiseEpoch(after);
      else this.#die(new KafkaError('KAFKA_TRANSACTION', 'fatal', doing, 'the producer has to be opened anew'));
    } catch (cause) {
      const error = kafkaError(cause, doing);
      if (isOfIdentity(error)) await this.#askWhetherFenced(error);
      else this.#die(error);
    }
  }

  #die(cause: Error): void {
    if (this.#dead !== null) return;
    const error = kafkaError(cause, `using the transactional id ${this.#name}`);
    const isFenced = error instanceof KafkaError && error.class === 'fenced';
    this.#dead = isFenced ? fenced(this.#name, error) : error;
    this.#engine.abandon(this.#dead);
    this.#onLanded?.();
  }

  async #end(isCommit: boolean): Promise<void> {
    this.#assertAlive();
    if (this.#phase === 'ending') throw new Error('a transaction is ended while it is being ended');
    if (this.#phase === 'idle') return;
    this.#phase = 'ending';
    try {
      await this.#endNow(isCommit);
    } catch (error) {
      for (const { reject } of this.#postponed.splice(0)) reject(error as Error);
      throw error;
    } finally {
      this.#phase = 'idle';
    }
    for (const { start } of this.#postponed.splice(0)) start();
  }

  async #endNow(isCommit: boolean): Promise<void> {
    // What is under way may have reached a broker: only a new epoch says for sure where sequences begin.
    if (!isCommit && !this.#isQuiet) this.#break(new SluiceError('KAFKA_TRANSACTION', 'the caller aborts it'));
    await this.#untilQuiet();
    this.#assertAlive();
    if (this.#broken === null) await this.#endUnbroken(isCommit);
    this.#assertAlive();
    const broken = this.#broken;
    if (broken === null) return;
    if (this.#successor === null) await this.#abort();
    this.#assertAlive();
    this.#begin(this.#successor!);
    if (isCommit) throw broken;
  }

  #assertAlive(): void {
    if (this.#dead !== null) throw this.#dead;
  }

  async #endUnbroken(isCommit: boolean): Promise<void> {
    try {
      this.#begin(await this.#coordinator.end(this.#identity, isCommit));
    } catch (error) {
      if (error instanceof UnknownOutcome || this.#signal.aborted) this.#die(error as Error);
      else await this.#breakWith(error, `ending a transaction of ${this.#name}`);
    }
  }

  /** Nothing of the next transaction has happened yet. */
  #begin(identity: ProducerIdentity): void {
    const isAsBefore = isSame(identity, this.#identity);
    this.#identity = identity;
    this.#broken = null;
    this.#successor = null;
    this.#partitionsToAdd.clear();
    this.#groups.clear();
    if (isAsBefore) this.#engine.holdAll();
    else this.#engine.restart(identity);
  }

  get #isQuiet(): boolean {
    const isAsking = this.#partitionsToAdd.isAdding || this.#offsetsInFlight > 0 || this.#question !== null;
    return this.#engine.isQuiet && !isAsking;
  }

  async #untilQuiet(): Promise<void> {
    while (!this.#isQuiet && this.#dead === null)
      await new Promise<void>((resolve) => {
        this.#onLanded = resolve;
      });
    this.#onLanded = null;
  }

  async #abortForAWhile(): Promise<void> {
    const patience = new AbortController();
    const enough = this.#cluster.clock.sleep(CLOSING_PATIENCE_MS, patience.signal);
    try {
      await Promise.race([this.#end(false), enough]);
    } catch {
      // Whoever takes over the id aborts it.
    } finally {
      patience.abort();
      enough.catch(() => undefined);
    }
  }
}

function isOfIdentity(error: SluiceError): boolean {
  return error instanceof ProtocolError && IDENTITY_CODES.has(error.protocolCode);
}

function isSame(left: ProducerIdentity, right: ProducerIdentity): boolean {
  return left.producerId === right.producerId && left.epoch === right.epoch;
}

function tookTooLong(name: string, timeoutMs: number, cause: SluiceError): SluiceError {
  const matter = `the broker aborted it, for it lasted longer than client.transaction_timeout (${timeoutMs} ms); its records have to be sent again`;
  return new KafkaError('KAFKA_TRANSACTION', 'fatal', `a transaction of ${name}`, matter, cause);
}

function fenced(name: string, cause: SluiceError): SluiceError {
  return new KafkaError(
    'KAFKA_FENCED',
    'fenced',
    `using the transactional id ${name}`,
    'another instance took it over',
    cause,
  );
}
