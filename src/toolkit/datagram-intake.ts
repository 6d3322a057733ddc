import type { SourceContext } from '../api/index.ts';
import type { GatheredRecords } from './gathered-records.ts';

export interface IntakeOptions<Gathering extends { readonly records: GatheredRecords }> {
  readonly context: SourceContext;
  /** Makes what the datagrams of one turn of the event loop are gathered in. */
  readonly gather: () => Gathering;
  /** Adds what a datagram holds. */
  readonly take: (gathering: Gathering, bytes: Buffer, client: string) => void;
}

/** Beyond it no datagram is taken before the last ones found room. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024;

/** Datagrams on their way into the topic. */
export class DatagramIntake<Gathering extends { readonly records: GatheredRecords }> {
  readonly #options: IntakeOptions<Gathering>;
  readonly #stream: string;
  #gathering: Gathering;
  #waitingBytes = 0;
  #isScheduled = false;
  #emits: Promise<void> = Promise.resolve();

  constructor(options: IntakeOptions<Gathering>, stream: string) {
    this.#options = options;
    this.#stream = stream;
    this.#gathering = options.gather();
  }

  get hasRoom(): boolean {
    return this.#gathering.records.batchBytes + this.#waitingBytes <= MOST_WAITING_BYTES;
  }

  take(bytes: Buffer, client: string): void {
    this.#options.take(this.#gathering, bytes, client);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      void this.flush();
    });
  }

  /** What came in one turn of the event loop is one batch. Resolves when the engine has it, and what came before. */
  flush(): Promise<void> {
    this.#isScheduled = false;
    const { records } = this.#gathering;
    if (records.isEmpty) return this.#emits;
    this.#gathering = this.#options.gather();
    const bytes = records.batchBytes;
    this.#waitingBytes += bytes;
    this.#emits = this.#emits
      .then(() => records.emit(this.#options.context, { stream: this.#stream }))
      .then(({ durable }) => {
        // Nobody can be told; the log says why.
        durable.catch(() => undefined);
      })
      .catch(() => undefined)
      .then(() => {
        this.#waitingBytes -= bytes;
      });
    return this.#emits;
  }
}
