import { SluiceError, type SourceContext } from 'sluice/api';
import { defaultCodecLimits, MsgpackCursor, MsgpackScanner } from 'sluice/codec';
import {
  StreamBuffer,
  type HeldBody,
  type Inflater,
  type Spare,
  type StreamClient,
  type StreamMemory,
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
  readonly memory: StreamMemory;
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
    const { context, memory } = shared;
    const { max_message: maxBytes, message_timeout: timeoutMs, security } = shared.options;
    this.#buffer = new StreamBuffer({ memory, clock: context.clock, timeoutMs });
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

  take(bytes: Buffer): Promise<void> | void {
    if (this.#isFirst) this.#refuseOthers(bytes);
    const joined = this.#buffer.join(bytes);
    return joined instanceof Promise ? joined.then((all) => this.#read(all, 0)) : this.#read(joined, 0);
  }

  flush(): Promise<void> | void {
    if (this.#entries !== null) return this.#emit(this.#entries);
  }

  closed(): void {
    this.#buffer.release();
  }

  /** The messages in `bytes[start, …)`. */
  #read(bytes: Buffer, start: number): Promise<void> | void {
    for (;;) {
      const entries = this.#entries;
      if (entries !== null && entries.records.batchBytes >= EMIT_BYTES)
        return this.#emit(entries).then(() => this.#read(bytes, start));
      const next = this.#scanner.advance(bytes, bytes.length);
      if (next < 0) break;
      const wait = this.#value(bytes, start, next);
      this.#scanner.begin(next);
      start = next;
      if (wait !== null) return wait.then(() => this.#read(bytes, next));
      if (this.#isRefused) return;
    }
    const kept = this.#buffer.keep(bytes, start, this.#scanner.atLeast);
    this.#scanner.moved(start);
    if (!this.#shared.entries.isShort) return kept;
    return kept === undefined ? this.flush() : kept.then(() => this.flush());
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
    const wait = this.#addEntries((this.#entries ??= this.#shared.entries.take()), { message, bytes, ...value });
    if (wait !== null)
      return wait.then(() => {
        this.#added(message);
      });
    this.#added(message);
    return null;
  }

  #addEntries(
    entries: Entries,
    { message, bytes, start, end }: { message: Message; bytes: Buffer; start: number; end: number },
  ): Promise<void> | null {
    const place = {
      at: message.at,
      to: message.to,
      client: this.#client.name,
      nowMs: this.#shared.context.clock.now(),
    };
    if (message.signal !== 0) {
      const reason = `metrics and traces of Fluent Bit (fluent_signal ${message.signal}) are no records; send logs only`;
      entries.records.reject(bytes.subarray(start, end), new SluiceError('DECODE_INVALID', reason), place.client);
      return null;
    }
    if (message.compressed !== null) return this.#inflated(message, bytes.subarray(message.at, message.to), place);
    const turns = entries.read(message, bytes, place);
    return turns.next().done === true ? null : othersBetween(turns);
  }

  /** All of it is there: a chunk that was refused halfway must not be known as taken. */
  #added({ chunk }: Message): void {
    if (chunk !== null) this.#chunks.push(chunk);
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

  async #emit(entries: Entries): Promise<void> {
    const { context, inFlight } = this.#shared;
    const chunks = this.#chunks;
    this.#entries = null;
    this.#chunks = [];
    const ids = chunks.map((chunk) => chunk.toString('latin1'));
    try {
      const { durable } = await entries.records.emit(context, { stream: this.#client.name, dedupeIds: ids });
      for (const id of ids) inFlight.set(id, durable);
      const forget = (): void => {
        for (const id of ids) inFlight.delete(id);
      };
      durable.then(forget, forget);
      this.#owe(durable, chunks);
    } finally {
      this.#shared.entries.give(entries);
    }
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
