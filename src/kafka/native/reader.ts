import { SluiceError } from '../../api/index.ts';
import type { KafkaEvent, KafkaReader, ReaderOptions } from '../client.ts';
import type { Cluster } from './cluster.ts';
import { EventQueue } from '../common/event-queue.ts';
import { Fetcher } from './fetcher.ts';
import { Waiting } from '../common/waiting.ts';

let opened = 0;

/** Connections of a reader are its own: its long polls hold nobody up. */
export function nextLane(): string {
  return `fetch-${opened++}`;
}

export function openNativeReader(cluster: Cluster, options: ReaderOptions): KafkaReader {
  return new NativeReader(cluster, options);
}

class NativeReader implements KafkaReader {
  readonly #queue = new EventQueue();
  readonly #closing = new AbortController();
  readonly #waiting: Waiting;
  readonly #fetcher: Fetcher;

  constructor(cluster: Cluster, options: ReaderOptions) {
    const signal = AbortSignal.any([this.#closing.signal, cluster.closed]);
    this.#waiting = new Waiting(cluster.clock, () => undefined);
    this.#fetcher = new Fetcher({
      cluster,
      reader: options,
      lane: nextLane(),
      queue: this.#queue,
      waiting: this.#waiting,
      signal,
    });
    onceAborted(signal, () => {
      this.#queue.end(signal.reason as Error);
    });
  }

  next(signal: AbortSignal): Promise<KafkaEvent | null> {
    return this.#queue.next(signal);
  }

  seek(topic: string, partition: number, offset: number): void {
    this.#fetcher.seek(topic, partition, offset);
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

  close(): Promise<void> {
    this.#closing.abort(new SluiceError('KAFKA_CLOSED', 'reading from Kafka: the reader is closed'));
    this.#fetcher.close();
    return Promise.resolve();
  }
}

export function onceAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
}
