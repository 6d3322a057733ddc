import type { SourceContext } from 'sluice/api';
import { StreamBuffer, type ByteBudget, type Spare, type StreamClient, type StreamProtocol } from 'sluice/toolkit';
import type { Frames } from './frames.ts';
import type { SourceOptions } from './options.ts';

/** What the connections of a source share. */
export interface Shared {
  readonly options: SourceOptions;
  readonly context: SourceContext;
  readonly budget: ByteBudget;
  /** Lent for one read: idle connections shall cost little. */
  readonly frames: Spare<Frames>;
}

/** One connection. That nothing more is read while records wait is what holds a sender back; one that asks for acknowledgements knows what is safe. */
export class Session implements StreamProtocol {
  readonly #client: StreamClient;
  readonly #shared: Shared;
  readonly #buffer: StreamBuffer;
  /** The end of a record that is too long is still to come. */
  #isSkipping = false;
  /** Records so far, those that became dead letters included. */
  #count = 0;

  constructor(client: StreamClient, shared: Shared) {
    this.#client = client;
    this.#shared = shared;
    const { budget, context, options } = shared;
    this.#buffer = new StreamBuffer({ budget, clock: context.clock, timeoutMs: options.message_timeout });
  }

  get begunAtMs(): number | null {
    return this.#buffer.begunAtMs;
  }

  async take(bytes: Buffer): Promise<void> {
    const { framing, max_frame: limit } = this.#shared.options;
    const joined = await this.#buffer.join(bytes);
    const frames = this.#shared.frames.take();
    const { name } = this.#client;
    frames.from(this.#client.address);
    let at = this.#isSkipping ? this.#skipped(joined) : 0;
    while (at < joined.length) {
      const next = frames.frame(joined, at, name);
      if (next < 0) break;
      at = next;
    }
    if (framing !== 'length' && joined.length - at > limit) {
      frames.tooLong(joined.subarray(at, at + limit), name);
      this.#isSkipping = true;
      at = joined.length;
    }
    await this.#buffer.keep(joined, at);
    await this.#emit(frames);
  }

  /** A last line that nobody ended is a record, too; half a counted one is none. */
  closed(): void {
    const { held } = this.#buffer;
    if (held.length > 0 && this.#shared.options.framing !== 'length') {
      const frames = this.#shared.frames.take();
      frames.from(this.#client.address);
      frames.add(held, 0, held.length, this.#client.name);
      this.#emit(frames).catch(() => undefined);
    }
    this.#buffer.release();
  }

  /** Behind the end of the record that is too long. */
  #skipped(bytes: Buffer): number {
    const end = bytes.indexOf(this.#shared.options.framing === 'nul' ? 0 : 0x0a);
    if (end < 0) return bytes.length;
    this.#isSkipping = false;
    return end + 1;
  }

  /** Resolves when the engine has them. */
  async #emit(frames: Frames): Promise<void> {
    const { records } = frames;
    if (!records.isEmpty) {
      this.#count += records.count + records.rejected.length;
      const { durable } = await records.emit(this.#shared.context, { stream: this.#client.name });
      this.#acknowledge(durable, this.#count);
    }
    this.#shared.frames.give(frames);
  }

  /** A client that gets none has to send its records again; after a failure the connection ends, so that it does not wait. */
  #acknowledge(durable: Promise<void>, count: number): void {
    const client = this.#client;
    const { acknowledge: isWanted } = this.#shared.options;
    client.owe();
    durable.then(
      () => {
        if (isWanted) client.write(Buffer.from(`ack ${count}\n`));
        client.settle();
      },
      () => {
        client.settle();
        client.end();
      },
    );
  }
}
