import type { SourceContext } from 'sluice/api';
import { StreamBuffer, type Spare, type StreamClient, type StreamMemory, type StreamProtocol } from 'sluice/toolkit';
import type { Frames } from './frames.ts';
import type { SourceOptions } from './options.ts';

/** What the connections of a source share. */
export interface Shared {
  readonly options: SourceOptions;
  readonly context: SourceContext;
  readonly memory: StreamMemory;
  /** Lent for one turn of the event loop: idle connections shall cost little. */
  readonly frames: Spare<Frames>;
}

/** Beyond it what was read goes into the topic before more is read. */
const EMIT_BYTES = 256 * 1024;

/** One connection. That nothing more is read while records wait is what holds a sender back; one that asks for acknowledgements knows what is safe. */
export class Session implements StreamProtocol {
  readonly #client: StreamClient;
  readonly #shared: Shared;
  readonly #buffer: StreamBuffer;
  #frames: Frames | null = null;
  /** The end of a record that is too long is still to come. */
  #isSkipping = false;
  /** Records so far, those that became dead letters included. */
  #count = 0;

  constructor(client: StreamClient, shared: Shared) {
    this.#client = client;
    this.#shared = shared;
    const { memory, context, options } = shared;
    this.#buffer = new StreamBuffer({ memory, clock: context.clock, timeoutMs: options.message_timeout });
  }

  get begunAtMs(): number | null {
    return this.#buffer.begunAtMs;
  }

  take(bytes: Buffer): Promise<void> | void {
    const joined = this.#buffer.join(bytes);
    return joined instanceof Promise ? joined.then((all) => this.#read(all)) : this.#read(joined);
  }

  flush(): Promise<void> | void {
    const frames = this.#frames;
    if (frames === null) return;
    this.#frames = null;
    return this.#emit(frames);
  }

  /** A last line that nobody ended is a record, too; half a counted one is none. */
  closed(): void {
    const { held } = this.#buffer;
    if (held.length > 0 && this.#shared.options.framing !== 'length') {
      const frames = this.#lend();
      frames.add(held, 0, held.length, this.#client.name);
      this.#emit(frames).catch(() => undefined);
    }
    this.#buffer.release();
  }

  #read(bytes: Buffer): Promise<void> | void {
    const { framing, max_frame: limit } = this.#shared.options;
    const frames = (this.#frames ??= this.#lend());
    const { name } = this.#client;
    let at = this.#isSkipping ? this.#skipped(bytes) : 0;
    while (at < bytes.length) {
      const next = frames.frame(bytes, at, name);
      if (next < 0) break;
      at = next;
    }
    if (framing !== 'length' && bytes.length - at > limit) {
      frames.tooLong(bytes.subarray(at, at + limit), name);
      this.#isSkipping = true;
      at = bytes.length;
    }
    const kept = this.#buffer.keep(bytes, at);
    if (frames.records.batchBytes < EMIT_BYTES && !this.#shared.frames.isShort) return kept;
    return kept === undefined ? this.flush() : kept.then(() => this.flush());
  }

  #lend(): Frames {
    const frames = this.#shared.frames.take();
    frames.from(this.#client.address);
    return frames;
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
    try {
      if (records.isEmpty) return;
      this.#count += records.count + records.rejected.length;
      const count = this.#count;
      const { durable } = await records.emit(this.#shared.context, { stream: this.#client.name });
      this.#acknowledge(durable, count);
    } finally {
      this.#shared.frames.give(frames);
    }
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
