import type { KafkaProducer, ProducerOptions } from '../client.ts';
import type { Cluster } from './cluster.ts';
import { protocolError } from '../common/errors.ts';
import { ProduceEngine, producerClosed } from './produce-engine.ts';
import { produceApis } from './produce-request.ts';
import type { ProducerIdentity } from './producer-partition.ts';
import { initProducerIdApis } from './transaction-requests.ts';
import { TransactionalProducer } from './transactional-producer.ts';

/** What tests force upon a producer. */
export interface ProducerLimits {
  readonly highestProduce?: number;
  /** Of transactions. */
  readonly highestProtocol?: 1 | 2;
}

/** Resolves when the producer has its id: that of a transactional one fences whoever had it before. */
export async function openNativeProducer(
  cluster: Cluster,
  options: ProducerOptions,
  limits: ProducerLimits = {},
): Promise<KafkaProducer> {
  const signal = options.signal ?? cluster.closed;
  if (options.transactionalId === undefined)
    return new IdempotentProducer(cluster, await askIdentity(cluster, signal), limits);
  const { transactionalId, transactionTimeoutMs: timeoutMs } = options;
  return TransactionalProducer.open({ cluster, transactionalId, timeoutMs, ...limits }, signal);
}

/** Each batch once and in order, across leader changes, as long as the producer lives. */
class IdempotentProducer implements KafkaProducer {
  readonly #cluster: Cluster;
  readonly #engine: ProduceEngine;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  #identity: ProducerIdentity;
  #renewal: Promise<void> | null = null;

  constructor(cluster: Cluster, identity: ProducerIdentity, { highestProduce }: ProducerLimits) {
    this.#cluster = cluster;
    this.#identity = identity;
    this.#signal = AbortSignal.any([this.#closing.signal, cluster.closed]);
    this.#engine = new ProduceEngine({
      cluster,
      transactionalId: null,
      apis: produceApis(highestProduce),
      signal: this.#signal,
      policy: {
        identity: () => this.#identity,
        isStopped: () => false,
        admit: () => Promise.resolve(),
        onLost: ({ topic, partition }, error) => {
          cluster.log.warn({ topic, partition, error }, 'a broker lost the state of a producer, which goes on anew');
        },
        onRefused: () => undefined,
        onLanded: () => undefined,
        newIdentity: (lost) => this.#renewIdentity(lost),
      },
    });
    this.#signal.addEventListener('abort', () => {
      this.#engine.abandon(this.#signal.reason as Error);
    });
  }

  get waitingFor(): string | null {
    return this.#engine.waitingFor;
  }

  send(topic: string, partition: number, bytes: Buffer): Promise<number> {
    if (this.#signal.aborted) return Promise.reject(this.#signal.reason as Error);
    return this.#engine.send(topic, partition, bytes);
  }

  commitTransaction(): Promise<void> {
    return Promise.reject(withoutTransactions());
  }

  abortTransaction(): Promise<void> {
    return Promise.reject(withoutTransactions());
  }

  sendOffsets(): Promise<void> {
    return Promise.reject(withoutTransactions());
  }

  get isOver(): boolean {
    return this.#signal.aborted;
  }

  wasReplaced(): Promise<boolean> {
    return Promise.resolve(false);
  }

  close(): Promise<void> {
    this.#closing.abort(producerClosed());
    return Promise.resolve();
  }

  /** Partitions that lost the same id share the new one. */
  async #renewIdentity(lost: ProducerIdentity): Promise<ProducerIdentity> {
    if (lost.producerId === this.#identity.producerId) {
      this.#renewal ??= askIdentity(this.#cluster, this.#signal).then((identity) => {
        this.#identity = identity;
      });
      await this.#renewal.finally(() => {
        this.#renewal = null;
      });
    }
    return this.#identity;
  }
}

function withoutTransactions(): Error {
  return new Error('a producer without a transactional id has no transactions');
}

function askIdentity(cluster: Cluster, signal: AbortSignal): Promise<ProducerIdentity> {
  const doing = 'getting a producer id';
  return cluster.retrying(
    doing,
    async () => {
      const broker = await cluster.connection('any', { signal });
      const answer = await broker.call(initProducerIdApis, null, 0);
      if (answer.errorCode !== 0) throw protocolError(answer.errorCode, doing);
      return { producerId: Number(answer.producerId), epoch: answer.producerEpoch };
    },
    signal,
  );
}
