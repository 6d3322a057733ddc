import { SluiceError, type SourceContext } from 'sluice/api';
import type { ByteBudget, StreamClient, StreamProtocol } from 'sluice/toolkit';
import type { Messages } from './messages.ts';
import type { SourceOptions } from './options.ts';

/** What the connections of a source share. */
export interface Shared {
  readonly options: SourceOptions;
  readonly context: SourceContext;
  readonly budget: ByteBudget;
  /** Lent for one read: idle connections shall cost little. */
  takeMessages(): Messages;
  giveMessages(messages: Messages): void;
}

const SPACE = 0x20;
const LINE_FEED = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
const NOTHING = Buffer.alloc(0);
const FIRST_BYTES = 1024;
/** `MSG-LEN SP` of the largest message, with room for zeros before it. */
const LONGEST_COUNT = 10;

/**
 * One connection. Frames are counted (`83 <34>1 …`) or end with a line feed (RFC 6587, section 3.4), each as its first byte says, since senders change between them. There
 * is no acknowledgement in syslog: that nothing more is read while records wait is all that holds a sender back.
 */
export class Session implements StreamProtocol {
  begunAtMs: number | null = null;
  readonly #client: StreamClient;
  readonly #shared: Shared;
  /** The beginning of a frame: `#buffer[0, #held)`. */
  #buffer: Buffer = NOTHING;
  #held = 0;
  /** Bytes of a frame that is too long which are still to come; -1: up to the next line feed. */
  #skips = 0;
  #isClosed = false;

  constructor(client: StreamClient, shared: Shared) {
    this.#client = client;
    this.#shared = shared;
  }

  async take(bytes: Buffer): Promise<void> {
    const whole = this.#held === 0 ? bytes : await this.#joined(bytes);
    const end = this.#held === 0 ? bytes.length : this.#held;
    const messages = this.#shared.takeMessages();
    messages.from(this.#client.address);
    let at = this.#skipped(whole, 0, end);
    while (at < end) {
      const next = this.#frame(messages, whole, at, end);
      if (next < 0) break;
      at = next;
    }
    await this.#keep(whole, at, end);
    await this.#emit(messages);
  }

  /** What is left of a line that nobody ended is a message, too. */
  closed(): void {
    this.#isClosed = true;
    const held = this.#held;
    this.#held = 0;
    if (held > 0 && this.#skips === 0 && countEnd(this.#buffer, 0, held) === 0) {
      const messages = this.#shared.takeMessages();
      messages.from(this.#client.address);
      messages.add(this.#buffer, 0, held, this.#client.name);
      this.#emit(messages).catch(() => undefined);
    }
    this.#letGo();
  }

  /** Resolves when the engine has them. */
  async #emit(messages: Messages): Promise<void> {
    if (!messages.records.isEmpty) {
      const { durable } = await messages.records.emit(this.#shared.context, { stream: this.#client.name });
      // Nobody can be told; the log says why.
      durable.catch(() => undefined);
    }
    this.#shared.giveMessages(messages);
  }

  /** Adds the message that begins at `at`; returns where the next one begins, -1 when it is not whole. */
  #frame(messages: Messages, bytes: Buffer, at: number, end: number): number {
    const { max_message: limit } = this.#shared.options;
    const start = countEnd(bytes, at, end);
    if (start < 0) return -1;
    if (start > 0) {
      const length = Number(bytes.toString('latin1', at, start - 1));
      const last = start + length;
      if (length > limit) return this.#tooLong(messages, bytes, { start, end, last });
      if (last > end) return -1;
      messages.add(bytes, start, last, this.#client.name);
      // Some end counted frames with a line feed as well.
      return last < end && bytes[last] === LINE_FEED ? last + 1 : last;
    }
    const feed = bytes.indexOf(LINE_FEED, at);
    const isWhole = feed >= 0 && feed < end;
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

  async #joined(bytes: Buffer): Promise<Buffer> {
    await this.#room(this.#held + bytes.length);
    bytes.copy(this.#buffer, this.#held);
    this.#held += bytes.length;
    return this.#buffer;
  }

  async #keep(whole: Buffer, start: number, end: number): Promise<void> {
    const left = end - start;
    if (this.#isClosed) return;
    if (left === 0) {
      this.#held = 0;
      this.begunAtMs = null;
      if (this.#buffer.length > FIRST_BYTES) this.#letGo();
      return;
    }
    if (start > 0 || this.begunAtMs === null) this.begunAtMs = this.#shared.context.clock.monotonic();
    if (whole === this.#buffer) this.#buffer.copyWithin(0, start, end);
    else {
      await this.#room(left);
      whole.copy(this.#buffer, 0, start, end);
    }
    this.#held = left;
  }

  /** Waits for memory, which is the back-pressure. */
  async #room(bytes: number): Promise<void> {
    if (bytes <= this.#buffer.length) return;
    const { budget, context, options } = this.#shared;
    const size = Math.max(FIRST_BYTES, bytes);
    const more = size - this.#buffer.length;
    const isGranted =
      budget.tryTake(more) || (await budget.take(more, { clock: context.clock, timeoutMs: options.message_timeout }));
    if (!isGranted) throw new SluiceError('SOURCE_FAILED', 'no memory for this message within `message_timeout`');
    if (this.#isClosed) {
      budget.give(more);
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(buffer, 0, 0, this.#held);
    this.#buffer = buffer;
  }

  #letGo(): void {
    this.#shared.budget.give(this.#buffer.length);
    this.#buffer = NOTHING;
  }
}

/** Behind `83 ` at `at`; 0 when no count stands there; -1 when more bytes have to tell. */
function countEnd(bytes: Buffer, at: number, end: number): number {
  let to = at;
  while (to < end && to - at < LONGEST_COUNT && bytes[to]! >= ZERO && bytes[to]! <= NINE) to++;
  if (to === end && to - at < LONGEST_COUNT) return to === at ? 0 : -1;
  return to > at && bytes[to] === SPACE ? to + 1 : 0;
}
