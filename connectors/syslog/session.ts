import type { SourceContext } from 'sluice/api';
import { StreamBuffer, type Spare, type StreamClient, type StreamMemory, type StreamProtocol } from 'sluice/toolkit';
import type { Messages } from './messages.ts';
import type { SourceOptions } from './options.ts';

/** What the connections of a source share. */
export interface Shared {
  readonly options: SourceOptions;
  readonly context: SourceContext;
  readonly memory: StreamMemory;
  /** Lent for one turn of the event loop: idle connections shall cost little. */
  readonly messages: Spare<Messages>;
}

const SPACE = 0x20;
const LINE_FEED = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
/** `MSG-LEN SP` of the largest message, with room for zeros before it. */
const LONGEST_COUNT = 10;
/** Beyond it what was read goes into the topic before more is read. */
const EMIT_BYTES = 256 * 1024;

/**
 * One connection. Frames are counted (`83 <34>1 …`) or end with a line feed (RFC 6587, section 3.4), each as its first byte says, since senders change between them. There
 * is no acknowledgement in syslog: that nothing more is read while records wait is all that holds a sender back.
 */
export class Session implements StreamProtocol {
  readonly #client: StreamClient;
  readonly #shared: Shared;
  readonly #buffer: StreamBuffer;
  #messages: Messages | null = null;
  /** Bytes of a frame that is too long which are still to come; -1: up to the next line feed. */
  #skips = 0;

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
    const messages = this.#messages;
    if (messages === null) return;
    this.#messages = null;
    return this.#emit(messages);
  }

  /** What is left of a line that nobody ended is a message, too. */
  closed(): void {
    const { held } = this.#buffer;
    if (held.length > 0 && this.#skips === 0 && countEnd(held, 0, held.length) === 0) {
      const messages = this.#lend();
      messages.add(held, 0, held.length, this.#client.name);
      this.#emit(messages).catch(() => undefined);
    }
    this.#buffer.release();
  }

  #read(bytes: Buffer): Promise<void> | void {
    const messages = (this.#messages ??= this.#lend());
    messages.open(bytes);
    let at = this.#skipped(bytes, 0, bytes.length);
    while (at < bytes.length) {
      const next = this.#frame(messages, bytes, at);
      if (next < 0) break;
      at = next;
    }
    const kept = this.#buffer.keep(bytes, at);
    if (messages.records.batchBytes < EMIT_BYTES && !this.#shared.messages.isShort) return kept;
    return kept === undefined ? this.flush() : kept.then(() => this.flush());
  }

  #lend(): Messages {
    const messages = this.#shared.messages.take();
    messages.from(this.#client.address);
    return messages;
  }

  /** Resolves when the engine has them. */
  async #emit(messages: Messages): Promise<void> {
    try {
      if (messages.records.isEmpty) return;
      const { durable } = await messages.records.emit(this.#shared.context, { stream: this.#client.name });
      // Nobody can be told; the log says why.
      durable.catch(() => undefined);
    } finally {
      this.#shared.messages.give(messages);
    }
  }

  /** Adds the message that begins at `at`; returns where the next one begins, -1 when it is not whole. */
  #frame(messages: Messages, bytes: Buffer, at: number): number {
    const end = bytes.length;
    const { max_message: limit } = this.#shared.options;
    const start = countEnd(bytes, at, end);
    if (start < 0) return -1;
    if (start > 0) {
      let length = 0;
      for (let digit = at; digit < start - 1; digit++) length = 10 * length + bytes[digit]! - ZERO;
      const last = start + length;
      if (length > limit) return this.#tooLong(messages, bytes, { start, end, last });
      if (last > end) return -1;
      messages.add(bytes, start, last, this.#client.name);
      // Some end counted frames with a line feed as well.
      return last < end && bytes[last] === LINE_FEED ? last + 1 : last;
    }
    const feed = bytes.indexOf(LINE_FEED, at);
    const isWhole = feed >= 0;
    if ((isWhole ? feed : end) - at > limit)
      return this.#tooLong(messages, bytes, { start: at, end, last: isWhole ? feed + 1 : -1 });
    if (!isWhole) return -1;
    messages.add(bytes, at, feed, this.#client.name);
    return feed + 1;
  }

  /** `last`: where it ends, beyond `end` perhaps; -1 where that is not known yet. */
  #tooLong(
    messages: Messages,
    bytes: Buffer,
    { start, end, last }: { start: number; end: number; last: number },
  ): number {
    const { max_message: limit } = this.#shared.options;
    const available = Math.min(end, start + limit);
    const isKnown = last >= 0;
    if (isKnown && last > end && available - start < limit) {
      // Its beginning is what the dead letter keeps.
      return -1;
    }
    messages.tooLong(bytes.subarray(start, available), this.#client.name);
    if (isKnown && last <= end) return last;
    this.#skips = isKnown ? last - end : -1;
    return end;
  }

  /** Where what counts begins. */
  #skipped(bytes: Buffer, at: number, end: number): number {
    if (this.#skips > 0) {
      const count = Math.min(this.#skips, end - at);
      this.#skips -= count;
      return at + count;
    }
    if (this.#skips === 0) return at;
    const feed = bytes.indexOf(LINE_FEED, at);
    if (feed < 0 || feed >= end) return end;
    this.#skips = 0;
    return feed + 1;
  }
}

/** Behind `83 ` at `at`; 0 when no count stands there; -1 when more bytes have to tell. */
function countEnd(bytes: Buffer, at: number, end: number): number {
  let to = at;
  while (to < end && to - at < LONGEST_COUNT && bytes[to]! >= ZERO && bytes[to]! <= NINE) to++;
  if (to === end && to - at < LONGEST_COUNT) return to === at ? 0 : -1;
  return to > at && bytes[to] === SPACE ? to + 1 : 0;
}
