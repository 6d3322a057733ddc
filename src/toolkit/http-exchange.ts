import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock } from '../api/index.ts';
import { BodyReader, checkAnnouncedBody, type HeldBody } from './body.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { Connection } from './connections.ts';
import type { TurnedAway } from './listener-meter.ts';
import { Refusal } from './refusal.ts';

export interface HttpAnswer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: Readonly<Record<string, string | number | boolean>>;
  /** Instead of `body`. */
  readonly content?: { readonly type: string; readonly bytes: string | Buffer };
  readonly headers?: Readonly<Record<string, string>>;
  /** As `Refusal.turnedAway`. */
  readonly turnedAway?: TurnedAway | null;
}

/** How long bytes that nobody wants are still taken, so that the client reads its answer instead of a reset. */
const LINGER_MS = 1000;

/** One request and its answer. */
export class HttpExchange {
  readonly request: IncomingMessage;
  readonly connection: Connection;
  /** Monotonic, when its headers were here. */
  readonly begunAtMs: number;
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #expectsContinue: boolean;
  #reader: BodyReader | null = null;
  #failure: Error | null = null;
  #isAnswered = false;
  /** Since when the client has waited for the answer; null while it still sends. */
  wholeSinceMs: number | null = null;

  constructor(options: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly connection: Connection;
    readonly expectsContinue: boolean;
    readonly clock: Clock;
  }) {
    this.request = options.request;
    this.connection = options.connection;
    this.#response = options.response;
    this.#expectsContinue = options.expectsContinue;
    this.#clock = options.clock;
    this.begunAtMs = options.clock.monotonic();
  }

  /** The body as it was sent. Throws `Refusal` (413, 408, 400, 429, 501), or `ClientGone`. Call it once. */
  readBody(options: { readonly maxBytes: number; readonly budget: ByteBudget }): Promise<HeldBody> {
    if (this.#failure !== null) throw this.#failure;
    checkAnnouncedBody(this.request, options.maxBytes);
    if (this.#expectsContinue) this.#response.writeContinue();
    const reader = new BodyReader(this.request, {
      ...options,
      clock: this.#clock,
      onSettled: () => {
        this.#reader = null;
        this.connection.receiving = null;
        this.wholeSinceMs = this.#clock.monotonic();
      },
    });
    this.#reader = this.connection.receiving = reader;
    return reader.whole;
  }

  get isReceiving(): boolean {
    return !this.#isAnswered && !this.request.complete;
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Ends the reading of the body, whether it has begun or not. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#reader?.fail(error);
  }

  /** Did the body average less than this, over at least `graceMs`? */
  isSlow(nowMs: number, limits: { readonly graceMs: number; readonly bytesPerSecond: number }): boolean {
    if (this.#reader === null) return false;
    const elapsedMs = nowMs - this.#reader.startedAtMs;
    return elapsedMs > limits.graceMs && (this.#reader.receivedBytes * 1000) / elapsedMs < limits.bytesPerSecond;
  }

  /** The first answer counts; later ones, and those for a client that is gone, are dropped. */
  answer(answer: HttpAnswer, options: { readonly close: boolean }): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    const response = this.#response;
    if (response.destroyed) return;
    const closes = options.close || !this.request.complete;
    const content = contentOf(answer);
    response.writeHead(answer.status, headersOf(answer, content, closes));
    if (this.request.complete || this.#failure !== null) response.end(content.bytes);
    else this.#answerEarly(content.bytes);
  }

  /** Closing with bytes unread would reset the connection, and the answer with it. */
  #answerEarly(bytes: string | Buffer): void {
    const response = this.#response;
    response.write(bytes);
    const stopped = new AbortController();
    const end = (): void => {
      stopped.abort();
      response.end();
    };
    this.request.once('end', end);
    this.request.once('close', end);
    this.request.on('error', end);
    this.request.resume();
    void this.#clock.sleep(LINGER_MS, stopped.signal).then(end, () => undefined);
  }
}

/** An answer for a connection on which HTTP could not be read: it bypasses the response that there is not. */
export function rawAnswer(refusal: Refusal): string {
  const text = `${JSON.stringify({ error: refusal.message })}\n`;
  const reason = {
    400: 'Bad Request',
    408: 'Request Timeout',
    413: 'Content Too Large',
    431: 'Request Header Fields Too Large',
  };
  return (
    `HTTP/1.1 ${refusal.status} ${reason[refusal.status as keyof typeof reason]}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`
  );
}

export function refusalAnswer(refusal: Refusal): HttpAnswer {
  const { status, message, fields, headers, turnedAway } = refusal;
  return { status, body: { error: message, ...fields }, headers, turnedAway };
}

interface Content {
  readonly type: string | null;
  readonly bytes: string | Buffer;
}

function contentOf({ body, content }: HttpAnswer): Content {
  if (content !== undefined) return content;
  return body === undefined
    ? { type: null, bytes: '' }
    : { type: 'application/json', bytes: `${JSON.stringify(body)}\n` };
}

function headersOf(answer: HttpAnswer, { type, bytes }: Content, closes: boolean): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...answer.headers };
  if (type !== null) headers['Content-Type'] = type;
  if (answer.status !== 204) headers['Content-Length'] = Buffer.byteLength(bytes);
  if (closes) headers.Connection = 'close';
  return headers;
}
