import { SluiceError, type SourceContext } from 'sluice/api';
import { defaultCodecLimits, MsgpackCursor, MsgpackScanner } from 'sluice/codec';
import type { ByteBudget, HeldBody, Inflater, StreamClient, StreamProtocol } from 'sluice/toolkit';
import type { Entries } from './entries.ts';
import { Handshake } from './handshake.ts';
import { readMessage, type Message } from './message.ts';
import type { SourceOptions } from './options.ts';

/** What the connections of a source share. */
export interface Shared {
  readonly options: SourceOptions;
  readonly context: SourceContext;
  readonly budget: ByteBudget;
  readonly inflater: Inflater;
  /** Chunks that are on their way into the topic: what is sent again meanwhile waits for the first. */
  readonly inFlight: Map<string, Promise<void>>;
  takeEntries(): Entries;
  giveEntries(entries: Entries): void;
}

const NIL = 0xc0;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const FIRST_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);
/** Beyond it what was read goes into the topic before more is read. */
const EMIT_BYTES = 1024 * 1024;
/** A message's own arrays and maps around a record. */
const ENVELOPE_DEPTH = 8;

/** One connection: cuts what comes into messages, and acknowledges each chunk once it is durable. */
export class Session implements StreamProtocol {
  begunAtMs: number | null = null;
  readonly #client: StreamClient;
  readonly #shared: Shared;
  readonly #scanner: MsgpackScanner;
  readonly #cursor = new MsgpackCursor();
  #handshake: Handshake | null = null;
  /** The beginning of a message that is not whole: `#buffer[0, #held)`. */
  #buffer: Buffer = NOTHING;
  #held = 0;
  #takenBytes = 0;
  #isClosed = false;
  #isFirst = true;
  #entries: Entries | null = null;
  #chunks: Buffer[] = [];

  constructor(client: StreamClient, shared: Shared) {
    this.#client = client;
    this.#shared = shared;
    const { max_message: maxBytes, security } = shared.options;
    this.#scanner = new MsgpackScanner({ maxDepth: defaultCodecLimits.maxDepth + ENVELOPE_DEPTH, maxBytes });
    this.#scanner.begin(0);
    if (security !== undefined) {
      this.#handshake = new Handshake(security);
      this.begunAtMs = shared.context.clock.monotonic();
      client.write(this.#handshake.helo());
    }
  }

  async take(bytes: Buffer): Promise<void> {
    if (this.#isFirst) this.#refuseJson(bytes);
    const whole = this.#held === 0 ? bytes : await this.#joined(bytes);
    const end = this.#held === 0 ? bytes.length : this.#held;
    let start = 0;
    for (;;) {
      const next = this.#scanner.advance(whole, end);
      if (next < 0) break;
      const wait = this.#value(whole, start, next);
      if (wait !== null) await wait;
      if (this.#isClosed) return;
      start = next;
      this.#scanner.begin(start);
      if ((this.#entries?.records.batchBytes ?? 0) >= EMIT_BYTES) await this.#emit();
    }
    await this.#keep(whole, start, end);
    if (this.#entries !== null) await this.#emit();
  }

  closed(): void {
    this.#isClosed = true;
    this.#buffer = NOTHING;
    this.#held = 0;
    this.#giveMemory();
  }

  /** fluentd takes JSON on this port too; nobody is known to send it. */
  #refuseJson(bytes: Buffer): void {
    this.#isFirst = false;
    if (bytes[0] === OPEN_BRACE || bytes[0] === OPEN_BRACKET || bytes[0] === 0x16 || bytes[0] === 0x47)
      throw new SluiceError(
        'DECODE_INVALID',
        `this is ${bytes[0] === 0x16 ? 'TLS' : bytes[0] === 0x47 ? 'HTTP' : 'JSON'}, no MessagePack; the forward protocol is expected here`,
      );
  }

  /** Behind what is held. */
  async #joined(bytes: Buffer): Promise<Buffer> {
    await this.#room(this.#held + bytes.length);
    bytes.copy(this.#buffer, this.#held);
    this.#held += bytes.length;
    return this.#buffer;
  }

  /** The beginning of the next message stays. */
  async #keep(whole: Buffer, start: number, end: number): Promise<void> {
    const left = end - start;
    if (this.#isClosed) return;
    if (left === 0) {
      this.#held = 0;
      this.#scanner.begin(0);
      if (this.#handshake === null) this.begunAtMs = null;
      if (this.#takenBytes > FIRST_BYTES) this.#letGo();
      return;
    }
    if (start > 0 || this.begunAtMs === null) this.begunAtMs = this.#shared.context.clock.monotonic();
    if (whole === this.#buffer) this.#buffer.copyWithin(0, start, end);
    else {
      await this.#room(left);
      whole.copy(this.#buffer, 0, start, end);
    }
    this.#held = left;
    this.#scanner.moved(start);
  }

  /** Waits for memory, which is the back-pressure. */
  async #room(bytes: number): Promise<void> {
    if (bytes <= this.#buffer.length) return;
    const { budget, context, options } = this.#shared;
    const size = Math.min(Math.max(FIRST_BYTES, 2 * this.#buffer.length, bytes), options.max_message + FIRST_BYTES);
    const larger = Math.max(size, bytes);
    const more = larger - this.#takenBytes;
    const isGranted =
      budget.tryTake(more) || (await budget.take(more, { clock: context.clock, timeoutMs: options.message_timeout }));
    if (!isGranted) throw new SluiceError('SOURCE_FAILED', 'no memory for this message within `message_timeout`');
    this.#takenBytes += more;
    if (this.#isClosed) {
      this.#giveMemory();
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(larger);
    this.#buffer.copy(buffer, 0, 0, this.#held);
    this.#buffer = buffer;
  }

  #letGo(): void {
    this.#buffer = NOTHING;
    this.#giveMemory();
  }

  #giveMemory(): void {
    const taken = this.#takenBytes;
    this.#takenBytes = 0;
    if (taken > 0) this.#shared.budget.give(taken);
  }

  /** A whole value; null when it is done with at once. */
  #value(bytes: Buffer, start: number, end: number): Promise<void> | null {
    // A heartbeat over the connection.
    if (end - start === 1 && bytes[start] === NIL) return null;
    if (this.#handshake !== null) {
      this.#shakeHands(this.#handshake, bytes, { start, end });
      return null;
    }
    const message = readMessage(this.#cursor, bytes, start, end);
    if (message.chunk !== null && this.#isRepeat(message.chunk)) return null;
    return this.#add(message, bytes, { start, end });
  }

  #shakeHands(handshake: Handshake, bytes: Buffer, { start, end }: { start: number; end: number }): void {
    const { pong, reason } = handshake.answer(this.#cursor, bytes, start, end);
    this.#client.write(pong);
    if (reason === null) {
      this.#handshake = null;
      return;
    }
    this.#shared.context.log.warn({ client: this.#client.name, reason }, 'Client refused');
    this.#isClosed = true;
    this.#client.end();
  }

  /** Acknowledges it again, at once or with the first. */
  #isRepeat(chunk: Buffer): boolean {
    const { context, inFlight } = this.#shared;
    const id = chunk.toString('latin1');
    if (context.seen(id)) {
      this.#client.write(acknowledgement(chunk));
      return true;
    }
    const first = inFlight.get(id);
    if (first === undefined) return this.#chunks.some((other) => other.equals(chunk));
    this.#owe(first, [chunk]);
    return true;
  }

  #add(message: Message, bytes: Buffer, value: { start: number; end: number }): Promise<void> | null {
    const entries = (this.#entries ??= this.#shared.takeEntries());
    if (message.chunk !== null) this.#chunks.push(message.chunk);
    const place = {
      at: message.at,
      to: message.to,
      client: this.#client.name,
      nowMs: this.#shared.context.clock.now(),
    };
    if (message.signal !== 0) {
      const reason = `metrics and traces of Fluent Bit (fluent_signal ${message.signal}) are no records; send logs only`;
      entries.records.reject(
        bytes.subarray(value.start, value.end),
        new SluiceError('DECODE_INVALID', reason),
        place.client,
      );
      return null;
    }
    if (message.compressed !== null) return this.#inflated(message, bytes.subarray(message.at, message.to), place);
    const turns = entries.read(message, bytes, place);
    return turns.next().done === true ? null : othersBetween(turns);
  }

  async #inflated(message: Message, sent: Buffer, place: { client: string; nowMs: number }): Promise<void> {
    const held: HeldBody = { bytes: sent, release: () => undefined };
    const body = await this.#shared.inflater.inflate(held, message.compressed ?? 'identity');
    try {
      const turns = this.#entries!.read(message, body.bytes, { ...place, at: 0, to: body.bytes.length });
      if (turns.next().done !== true) await othersBetween(turns);
    } finally {
      body.release();
    }
  }

  async #emit(): Promise<void> {
    const { context, inFlight } = this.#shared;
    const entries = this.#entries!;
    const chunks = this.#chunks;
    this.#entries = null;
    this.#chunks = [];
    const ids = chunks.map((chunk) => chunk.toString('latin1'));
    const { durable } = await entries.records.emit(context, { stream: this.#client.name, dedupeIds: ids });
    this.#shared.giveEntries(entries);
    for (const id of ids) inFlight.set(id, durable);
    const forget = (): void => {
      for (const id of ids) inFlight.delete(id);
    };
    durable.then(forget, forget);
    this.#owe(durable, chunks);
  }

  /** The acknowledgements, once it is durable; a client that gets none sends the chunks again. */
  #owe(durable: Promise<void>, chunks: readonly Buffer[]): void {
    const client = this.#client;
    client.owe();
    durable.then(
      () => {
        for (const chunk of chunks) client.write(acknowledgement(chunk));
        client.settle();
      },
      () => {
        client.settle();
        client.end();
      },
    );
  }
}

async function othersBetween(turns: Generator): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (turns.next().done !== true);
}

/** `{"ack": <chunk>}`, byte for byte what the client sent. */
function acknowledgement(chunk: Buffer): Buffer {
  const head =
    chunk.length < 32
      ? [0xa0 + chunk.length]
      : chunk.length < 256
        ? [0xd9, chunk.length]
        : [0xda, chunk.length >> 8, chunk.length & 0xff];
  return Buffer.concat([Buffer.from([0x81, 0xa3, 0x61, 0x63, 0x6b, ...head]), chunk]);
}
