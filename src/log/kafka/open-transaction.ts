import type { Position, SluiceError } from '../../api/index.ts';
import type { KafkaProducer } from '../../kafka/index.ts';
import type { CommitRequest, SealedBatch } from '../topic-log.ts';
import { sendAll } from './checkpoint-writer.ts';

interface Part {
  readonly request: CommitRequest;
  readonly sent: Promise<void>;
  readonly settle: (error: SluiceError | null) => void;
}

export interface Refusal {
  readonly error: unknown;
  readonly batches: readonly SealedBatch[];
}

/** Requests that are committed together: their records go out as they come, their positions at the end. */
export class OpenTransaction {
  /** The newest of each partition; null deletes. */
  readonly positions = new Map<string, Position | null>();
  /** Over its time, but the one before is not over. */
  isDue = false;
  readonly #producer: Promise<KafkaProducer>;
  readonly #onRefused: () => void;
  readonly #parts: Part[] = [];
  readonly #timers = new AbortController();
  #bytes = 0;
  #hasBatches = false;
  #refusal: Refusal | null = null;

  /** `producer`: resolves when what came before is committed. `onRefused`: called once, when it can only be aborted. */
  constructor(producer: Promise<KafkaProducer>, onRefused: () => void) {
    this.#producer = producer;
    this.#onRefused = onRefused;
  }

  /** Aborts when it is over. */
  get over(): AbortSignal {
    return this.#timers.signal;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get hasBatches(): boolean {
    return this.#hasBatches;
  }

  /** What was refused first, and made the others be refused. */
  get refusal(): Refusal | null {
    return this.#refusal;
  }

  get requests(): readonly CommitRequest[] {
    return this.#parts.map(({ request }) => request);
  }

  /** `check` throws what the request cannot be written for. */
  add(request: CommitRequest, check: () => void): Promise<void> {
    const { batches = [], positions = [] } = request;
    for (const [, partition, position] of positions) this.positions.set(partition, position);
    for (const { bytes } of batches) this.#bytes += bytes.length;
    this.#hasBatches ||= batches.length > 0;
    const sent = this.#producer.then(async (producer) => {
      check();
      await sendAll(producer, batches);
      request.onWritten?.();
    });
    sent.catch((error: unknown) => {
      if (this.#refusal !== null) return;
      this.#refusal = { error, batches };
      this.#onRefused();
    });
    return new Promise((resolve, reject) => {
      const settle = (error: SluiceError | null): void => {
        if (error === null) resolve();
        else reject(error);
      };
      this.#parts.push({ request, sent, settle });
    });
  }

  /** Resolves when all is acknowledged. */
  async written(): Promise<void> {
    await Promise.all(this.#parts.map(({ sent }) => sent));
  }

  /** Answers all requests, in their order; not before the producer has let go of their bytes. */
  async settle(error: SluiceError | null): Promise<void> {
    this.#timers.abort();
    await Promise.allSettled(this.#parts.map(({ sent }) => sent));
    for (const { settle } of this.#parts) settle(error);
  }
}
