import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describeError, type Clock, type ListenAddress, type Logger, type Metrics } from '../api/index.ts';
import { ClientGone } from './body.ts';
import { ConnectionTable, type Connection, type ConnectionLimits } from './connections.ts';
import { HttpExchange, rawAnswer, refusalAnswer, type HttpAnswer } from './http-exchange.ts';
import { bind } from './listen.ts';
import { ListenerMeter } from './listener-meter.ts';
import { Refusal } from './refusal.ts';
import { serveSecured } from './secure-connections.ts';
import { reloadTls } from './tls-reload.ts';
import { loadTls, type TlsOptions } from './tls.ts';

export interface HttpListenerLimits extends ConnectionLimits {
  /** From the first moment of a connection or request to the end of its headers. TLS handshakes have as long. */
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to its last. */
  readonly requestTimeoutMs: number;
  /** How long an idle connection is kept. */
  readonly keepAliveMs: number;
  /** From the last byte of a request to the answer; then 503 is the answer. */
  readonly answerTimeoutMs: number;
}

export interface HttpListenerOptions {
  readonly address: ListenAddress;
  readonly tls?: TlsOptions;
  readonly limits: HttpListenerLimits;
  /**
   * Called once the headers are here. What it resolves with is the answer; a thrown `Refusal` is one too. Requests that a client
   * pipelines are handed over one after the other.
   */
  readonly handle: (exchange: HttpExchange) => Promise<HttpAnswer>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What the handler holds of bodies. */
  readonly heldBytes: () => number;
}

export interface HttpListener {
  /** With the port that it got. */
  readonly address: ListenAddress;
  /**
   * Takes no more connections, closes those on which no answer is owed, lets requests that were begun end, and resolves when all
   * connections are closed, by force after `graceMs`.
   */
  close(graceMs: number): Promise<void>;
}

const MAX_HEADER_BYTES = 16 * 1024;
const SWEEP_MS = 1000;
/** What a body must average once it has been under way for longer than this. */
const RATE_GRACE_MS = 10_000;
const MIN_BYTES_PER_SECOND = 512;
/** What bodies that are under way get when the listener closes. */
const CLOSING_BODY_MS = 5000;

/** Serves HTTP/1.1 with limits on everything that a client could use up. Rejects with `LISTENER_IN_USE` or `OPTION_INVALID`. */
export async function listenHttp(options: HttpListenerOptions): Promise<HttpListener> {
  const listener = new Listener(options, await createServer(options));
  await listener.start();
  return listener;
}

async function createServer({ tls, limits }: HttpListenerOptions): Promise<Server> {
  const settings = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.max(100, Math.min(2000, limits.headersTimeoutMs / 4)),
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    noDelay: true,
  };
  if (tls === undefined) return createHttpServer(settings);
  return createHttpsServer({ ...settings, ...(await loadTls(tls)), handshakeTimeout: limits.headersTimeoutMs });
}

/** A connection and its unanswered requests, in the order in which they came. */
interface Client {
  readonly connection: Connection;
  /** What answers go out on: over TLS another one than the connection's. */
  readonly socket: Socket;
  readonly queue: HttpExchange[];
  /** Said once the requests before it are answered: behind it nothing can be read any more. */
  lastWords: string | null;
  /** What still comes is read and dropped; the parser reports each piece of it as an error again. */
  isHungUp: boolean;
}

class Listener implements HttpListener {
  address: ListenAddress;
  readonly #options: HttpListenerOptions;
  readonly #server: Server;
  readonly #table: ConnectionTable;
  readonly #meter: ListenerMeter;
  readonly #clients = new WeakMap<Duplex, Client>();
  readonly #active = new Set<HttpExchange>();
  readonly #stopped = new AbortController();
  #closingSinceMs: number | null = null;

  constructor(options: HttpListenerOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    this.address = options.address;
    this.#table = new ConnectionTable(options.limits, options.clock);
    this.#meter = new ListenerMeter(options.metrics, this.#table, options.heldBytes);
    this.#accept(options);
    server.on('request', (request, response) => {
      this.#begin(request, response, false);
    });
    server.on('checkContinue', (request, response) => {
      this.#begin(request, response, true);
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      this.#clientError(error, socket);
    });
  }

  async start(): Promise<void> {
    this.address = await bind(this.#server, this.#options.address);
    // Not a reason to end: the next accept may succeed.
    this.#server.on('error', (error) => {
      this.#options.log.warn({ error: describeError(error) }, 'Listener could not accept a connection');
    });
    void this.#repeat(SWEEP_MS, () => {
      this.#sweep();
    });
    const { tls, clock, log } = this.#options;
    if (tls !== undefined && this.#server instanceof HttpsServer)
      void reloadTls({ server: this.#server, tls, clock, log, signal: this.#stopped.signal });
  }

  async close(graceMs: number): Promise<void> {
    this.#closingSinceMs = this.#options.clock.monotonic();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#table.closeIdle();
    const ended = new AbortController();
    void this.#options.clock.sleep(graceMs, ended.signal).then(
      () => {
        this.#table.destroyAll();
      },
      () => undefined,
    );
    await Promise.all([closed, this.#table.whenEmpty()]);
    ended.abort();
    this.#stopped.abort();
    this.#meter.publish();
  }

  #accept({ tls, log }: HttpListenerOptions): void {
    const know = (socket: Socket, connection: Connection): void => {
      this.#clients.set(socket, { connection, socket, queue: [], lastWords: null, isHungUp: false });
    };
    this.#server.on('connection', (socket: Socket) => {
      const connection = this.#table.admit(socket);
      if (connection !== null && tls === undefined) know(socket, connection);
    });
    if (tls !== undefined) serveSecured(this.#server, { tls, table: this.#table, meter: this.#meter, log }, know);
  }

  #begin(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const client = this.#clients.get(request.socket);
    if (client === undefined) {
      request.socket.destroy();
      return;
    }
    const { connection } = client;
    const exchange = new HttpExchange({ request, response, connection, expectsContinue, clock: this.#options.clock });
    connection.begun++;
    client.queue.push(exchange);
    response.once('close', () => {
      this.#ended(client, exchange);
    });
    if (client.queue.length === 1) void this.#serve(exchange);
  }

  async #serve(exchange: HttpExchange): Promise<void> {
    this.#active.add(exchange);
    try {
      this.#answer(exchange, await this.#options.handle(exchange));
    } catch (error) {
      if (!(error instanceof ClientGone)) this.#answer(exchange, this.#answerFor(error));
    }
  }

  #answer(exchange: HttpExchange, answer: HttpAnswer): void {
    if (exchange.isAnswered) return;
    this.#meter.answered(answer.status, this.#options.clock.monotonic() - exchange.begunAtMs);
    const { turnedAway = null } = answer;
    if (turnedAway !== null) this.#meter.turnedAway(turnedAway);
    exchange.answer(answer, { close: this.#closingSinceMs !== null });
  }

  #answerFor(error: unknown): HttpAnswer {
    if (error instanceof Refusal) return refusalAnswer(error);
    this.#options.log.error({ error: describeError(error) }, 'Handling a request threw');
    return { status: 500, body: { error: 'this is a mistake of the server; its log says more' } };
  }

  #ended(client: Client, exchange: HttpExchange): void {
    const { connection, queue } = client;
    this.#active.delete(exchange);
    queue.splice(queue.indexOf(exchange), 1);
    connection.begun--;
    connection.served++;
    connection.idleSinceMs = this.#options.clock.monotonic();
    if (queue.length > 0) void this.#serve(queue[0]!);
    else if (client.lastWords !== null) hangUp(client, client.lastWords);
    else if (this.#closingSinceMs !== null) client.socket.destroySoon();
  }

  /** HTTP that cannot be read, and headers or bodies that took too long. */
  #clientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const client = this.#clients.get(socket);
    if (client?.isHungUp === true) return;
    if (client === undefined || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const refusal = refusalFor(error);
    const newest = client.queue.at(-1);
    if (newest?.isReceiving === true) newest.fail(refusal);
    else if (newest === undefined) hangUp(client, rawAnswer(refusal));
    else client.lastWords = rawAnswer(refusal);
  }

  #sweep(): void {
    this.#meter.publish();
    const now = this.#options.clock.monotonic();
    const isLate = this.#closingSinceMs !== null && now - this.#closingSinceMs > CLOSING_BODY_MS;
    for (const exchange of this.#active) {
      if (exchange.isSlow(now, { graceMs: RATE_GRACE_MS, bytesPerSecond: MIN_BYTES_PER_SECOND }))
        exchange.fail(tooSlow());
      else if (isLate && exchange.isReceiving) exchange.fail(closing());
      else if (exchange.wholeSinceMs !== null && now - exchange.wholeSinceMs > this.#options.limits.answerTimeoutMs) {
        this.#answer(exchange, refusalAnswer(unconfirmed()));
      }
    }
  }

  async #repeat(intervalMs: number, action: () => void | Promise<void>): Promise<void> {
    const { signal } = this.#stopped;
    for (;;) {
      await this.#options.clock.sleep(intervalMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await action();
    }
  }
}

/** Says it, and reads on for a moment, since closing with bytes unread would reset the connection before the client has read. */
function hangUp(client: Client, words: string): void {
  const { socket } = client;
  client.isHungUp = true;
  socket.end(words);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), 500);
  socket.once('close', () => {
    clearTimeout(timer);
  });
}

function refusalFor(error: NodeJS.ErrnoException): Refusal {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Refusal(408, 'the request did not come in whole in time');
    case 'HPE_HEADER_OVERFLOW':
      return new Refusal(431, `the headers are larger than ${MAX_HEADER_BYTES} bytes`);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Refusal(413, 'the chunk extensions are too large');
    default:
      return new Refusal(400, 'this is not valid HTTP/1.1');
  }
}

function tooSlow(): Refusal {
  return new Refusal(408, `the body comes slower than ${MIN_BYTES_PER_SECOND} bytes a second`);
}

function closing(): Refusal {
  return new Refusal(503, 'the listener is closing; send the request again later', { retryAfterSeconds: 5 });
}

function unconfirmed(): Refusal {
  return new Refusal(503, 'the records could not be confirmed in time; send them again', { retryAfterSeconds: 5 });
}
