import { SluiceError, type SourceContext } from 'sluice/api';
import { defaultCodecLimits, MsgpackCursor, MsgpackScanner } from 'sluice/codec';
import {
  StreamBuffer,
  type ByteBudget,
  type HeldBody,
  type Inflater,
  type Spare,
  type StreamClient,
  type StreamProtocol,
} from 'sluice/toolkit';
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
  readonly entries: Spare<Entries>;
}

const NIL = 0xc0;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
/** Beyond it what was read goes into the topic before more is read. */
const EMIT_BYTES = 1024 * 1024;
/** A message's own arrays and maps around a record. */
const ENVELOPE_DEPTH = 8;

/** One connection: cuts what comes into messages, and acknowledges each chunk once it is durable. */
export class Session implements StreamProtocol {
  readonly #client: StreamClient;
  readonly #shared: Shared;
  readonly #scanner: MsgpackScanner;
  readonly #cursor = new MsgpackCursor();
  readonly #buffer: StreamBuffer;
  readonly #openedAtMs: number;
  #handshake: Handshake | null = null;
  #isRefused = false;
  #isFirst = true;
  #entries: Entries | null = null;
  #chunks: Buffer[] = [];

  constructor(client: StreamClient, shared: Shared) {
    this.#client = client;
    this.#shared = shared;
    const { context, budget } = shared;
    const { max_message: maxBytes, message_timeout: timeoutMs, security } = shared.options;
    this.#buffer = new StreamBuffer({ budget, clock: context.clock, timeoutMs });
    this.#openedAtMs = context.clock.monotonic();
    this.#scanner = new MsgpackScanner({ maxDepth: defaultCodecLimits.maxDepth + ENVELOPE_DEPTH, maxBytes });
    this.#scanner.begin(0);
    if (security !== undefined) {
      this.#handshake = new Handshake(security);
      client.write(this.#handshake.helo());
    }
  }

  get begunAtMs(): number | null {
    return this.#handshake === null ? this.#buffer.begunAtMs : this.#openedAtMs;
  }

  async take(bytes: Buffer): Promise<void> {
    if (this.#isFirst) this.#refuseOthers(bytes);
    const joined = await this.#buffer.join(bytes);
    let start = 0;
    for (;;) {
      const next = this.#scanner.advance(joined, joined.length);
      if (next < 0) break;
      const wait = this.#value(joined, start, next);
      if (wait !== null) await wait;
      if (this.#isRefused) return;
      start = next;
      this.#scanner.begin(start);
      if ((this.#entries?.records.batchBytes ?? 0) >= EMIT_BYTES) await this.#emit();
    }
    await this.#buffer.keep(joined, start);
    this.#scanner.moved(start);
    if (this.#entries !== null) await this.#emit();
  }

  /** What came whole goes on its way all the same. */
  closed(): void {
    this.#buffer.release();
  }

  /** fluentd takes JSON on this port too; nobody is known to send it. */
  #refuseOthers(bytes: Buffer): void {
    this.#isFirst = false;
    if (bytes[0] === OPEN_BRACE || bytes[0] === OPEN_BRACKET || bytes[0] === 0x16 || bytes[0] === 0x47)
      throw new SluiceError(
        'DECODE_INVALID',
        `this is ${bytes[0] === 0x16 ? 'TLS' : bytes[0] === 0x47 ? 'HTTP' : 'JSON'}, no MessagePack; the forward protocol is expected here`,
      );
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
    this.#isRefused = true;
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
    const entries = (this.#entries ??= this.#shared.entries.take());
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
    this.#shared.entries.give(entries);
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
