import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { BrokerAddress } from '../common/address.ts';
import { FrameReader } from './frame-reader.ts';
import { Reader, Writer, type Connection } from './package.ts';

const CORRELATION_BYTES = 4;
/** A smaller part of a request is copied to its neighbours: a part more for the socket costs about as much. */
const LARGE_PART_BYTES = 4096;

/** What a peer's bytes show it to be, if not a Kafka broker: `tls` that was not asked for, `http`, or `alien`. */
export type Finding = 'tls' | 'http' | 'alien';

/** There is no answer: the connection broke (the socket's error is the cause), it took too long, or the peer is no broker. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly finding: Finding | null;
  readonly isTimeout: boolean;

  constructor(message: string, details: { isTimeout?: boolean; finding?: Finding; cause?: unknown } = {}) {
    super(message, { cause: details.cause });
    this.isTimeout = details.isTimeout ?? false;
    this.finding = details.finding ?? null;
  }
}

export interface WireOptions {
  readonly at: BrokerAddress;
  /** Null: plain text. */
  readonly tls: ConnectionOptions | null;
  readonly clientId: string;
  /** Until the connection stands, TLS included. */
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

type Parser = Parameters<Connection['send']>[3];
type Callback = (error: Error | null, answer?: unknown) => void;
/** Memory for an answer of so many bytes, which is read to its beginning; null: it has to be made. It is written to until the callback is called. */
export type Place = (length: number) => Buffer | null;

interface Question {
  readonly apiKey: number;
  readonly version: number;
  readonly parse: Parser;
  readonly isFlexible: boolean;
  readonly callback: Callback;
  readonly place: Place | undefined;
  readonly timer: NodeJS.Timeout;
}

/**
 * Requests and answers over one socket, without copies of what is large: the parts of a request go to the socket as they are. It has the `send` of the
 * package's `Connection`, so that the package's API functions write to it and read from it.
 */
export class Wire {
  readonly #options: WireOptions;
  readonly #socket: Socket;
  readonly #questions = new Map<number, Question>();
  readonly #frames: FrameReader;
  #correlationId = 0;
  #isFirstChunk = true;
  /** Why it takes no request any more. */
  #end: WireError | null = null;

  /** Resolves when the connection stands. Rejects with a `WireError` whose cause is the socket's. */
  static async open(options: WireOptions): Promise<Wire> {
    const wire = new Wire(options);
    await wire.#connected();
    return wire;
  }

  private constructor(options: WireOptions) {
    const { host, port } = options.at;
    this.#options = options;
    this.#frames = new FrameReader({
      place: (correlationId, length) => this.#place(correlationId, length),
      onFrame: (correlationId, frame) => {
        this.#takeFrame(correlationId, frame);
      },
      onAlien: (bytes) => {
        this.#find(bytes.toString('latin1', 0, 4) === 'HTTP' ? 'http' : 'alien');
      },
    });
    const onread = { buffer: () => this.#frames.target, callback: this.#take.bind(this) };
    // `onread` is documented for TLS too; its types do not have it.
    const target: TcpNetConnectOpts = { host, port, onread };
    this.#socket = options.tls === null ? connectTcp(target) : connectTls({ ...options.tls, ...target });
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (cause) => {
      this.#break(new WireError('the connection broke', { cause }));
    });
    this.#socket.on('close', () => {
      this.#break(new WireError('the connection was closed'));
    });
  }

  get isOpen(): boolean {
    return this.#end === null;
  }

  /** Bytes both ways so far. */
  get bytes(): number {
    return this.#socket.bytesRead + this.#socket.bytesWritten;
  }

  /** The bytes that `write` appends must stay as they are until `callback` is called. */
  send(
    apiKey: number,
    version: number,
    write: () => Writer,
    parse: Parser,
    isFlexibleRequest: boolean,
    isFlexibleAnswer: boolean,
    callback: Callback,
    place?: Place,
  ): void {
    if (this.#end !== null) {
      callback(this.#end);
      return;
    }
    const correlationId = (this.#correlationId = (this.#correlationId + 1) & 0x7fffffff);
    let request: Writer;
    try {
      request = Writer.create().appendInt16(apiKey).appendInt16(version).appendInt32(correlationId);
      request.appendString(this.#options.clientId, false);
      if (isFlexibleRequest) request.appendTaggedFields();
      request.appendFrom(write()).prependLength();
    } catch (error) {
      callback(error as Error);
      return;
    }
    const timer = setTimeout(() => {
      this.#break(new WireError('a request timed out', { isTimeout: true }));
    }, this.#options.requestTimeoutMs);
    this.#questions.set(correlationId, {
      apiKey,
      version,
      parse,
      isFlexible: isFlexibleAnswer,
      callback,
      place,
      timer,
    });
    this.#socket.cork();
    for (const part of partsOf(request.buffers)) this.#socket.write(part);
    this.#socket.uncork();
  }

  /** What was asked is answered with an error. Resolves when the socket is closed. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.#socket.closed) resolve();
      else
        this.#socket.once('close', () => {
          resolve();
        });
    });
    this.#break(new WireError('the connection was closed'));
    return closed;
  }

  #connected(): Promise<void> {
    const { connectTimeoutMs, tls } = this.#options;
    const timer = setTimeout(() => {
      this.#break(new WireError('connecting timed out', { isTimeout: true }));
    }, connectTimeoutMs);
    const connected = new Promise<void>((resolve, reject) => {
      this.#socket.once(tls === null ? 'connect' : 'secureConnect', () => {
        resolve();
      });
      this.#socket.once('close', () => {
        reject(this.#end!);
      });
    });
    return connected.finally(() => {
      clearTimeout(timer);
    });
  }

  /** True: it goes on reading. */
  #take(count: number, bytes: Uint8Array): boolean {
    if (this.#end !== null) return false;
    if (this.#isFirstChunk && this.#options.tls === null && isTlsRecord(bytes.subarray(0, count))) {
      this.#find('tls');
      return false;
    }
    this.#isFirstChunk = false;
    this.#frames.took(count);
    return this.isOpen;
  }

  #place(correlationId: number, length: number): Buffer | null {
    const question = this.#questions.get(correlationId);
    return question === undefined ? null : (question.place?.(length) ?? Buffer.allocUnsafe(length));
  }

  #takeFrame(correlationId: number, frame: Buffer): void {
    const question = this.#questions.get(correlationId)!;
    this.#questions.delete(correlationId);
    clearTimeout(question.timer);
    const { apiKey, version, parse, isFlexible, callback } = question;
    let answer: unknown;
    try {
      const header = Reader.from(frame).skip(CORRELATION_BYTES);
      if (isFlexible) header.readTaggedFields();
      answer = parse(correlationId, apiKey, version, Reader.from(frame.subarray(header.position)));
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback(null, answer);
  }

  #find(finding: Finding): void {
    this.#break(new WireError('the peer is no Kafka broker', { finding }));
  }

  /** The socket is gone before anybody is told: what they lent it is theirs again. */
  #break(error: WireError): void {
    if (this.#end !== null) return;
    this.#end = error;
    this.#frames.end();
    this.#socket.destroy();
    const questions = [...this.#questions.values()];
    this.#questions.clear();
    for (const { callback, timer } of questions) {
      clearTimeout(timer);
      callback(error);
    }
  }
}

/** The writer makes a part of each field: small ones are put together. */
function* partsOf(buffers: readonly Buffer[]): Generator<Buffer> {
  let small: Buffer[] = [];
  for (const buffer of buffers) {
    if (buffer.length < LARGE_PART_BYTES) {
      small.push(buffer);
      continue;
    }
    if (small.length > 0) yield Buffer.concat(small);
    small = [];
    yield buffer;
  }
  if (small.length > 0) yield Buffer.concat(small);
}

function isTlsRecord(chunk: Uint8Array): boolean {
  return chunk.length >= 3 && chunk[0]! >= 0x14 && chunk[0]! <= 0x17 && chunk[1] === 3 && chunk[2]! <= 4;
}
