import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls';
import { describeError, type Clock, type ListenAddress, type Logger, type Metrics } from '../api/index.ts';
import { ConnectionTable, type Connection, type ConnectionLimits } from './connections.ts';
import { bind } from './listen.ts';
import { ListenerMeter } from './listener-meter.ts';
import { serveSecured } from './secure-connections.ts';
import { reloadTls } from './tls-reload.ts';
import { loadTls, type TlsOptions } from './tls.ts';
import { bindUnix, type PlacedSocket, type UnixSocketOptions } from './unix-socket.ts';

interface StreamListenerLimits extends ConnectionLimits {
  /** What a client may take for its TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** From the first byte of a message to its last. Time in which we do not read is not counted. */
  readonly messageTimeoutMs: number;
  /** How long a connection on which nothing is under way is kept. */
  readonly idleMs: number;
}

/** One client, for the protocol that is spoken with it. */
export interface StreamClient {
  /** `10.0.0.7:51234`, `unix:17` */
  readonly name: string;
  /** `10.0.0.7`, `unix` */
  readonly address: string;
  /** Nothing is read while what was written waits for the client. */
  write(bytes: Uint8Array): void;
  /** An answer is owed from now on: a listener that closes waits for it. */
  owe(): void;
  /** It was given, or never will be. */
  settle(): void;
  /** Ends the connection once what was written is sent. */
  end(): void;
}

export interface StreamProtocol {
  /** Since when (monotonic) a message has been under way that is not whole; null between messages. */
  readonly begunAtMs: number | null;
  /**
   * Takes what came; the bytes are the protocol's until what it returns resolves, and nobody's afterwards. Nothing more is read meanwhile: the back-pressure. A rejection
   * ends the connection and is logged.
   */
  take(bytes: Buffer): Promise<void> | void;
  /** Nothing more came in this turn of the event loop: what was taken in it goes on its way together. Otherwise as `take`. */
  flush(): Promise<void> | void;
  /** The connection is gone, and what came is taken: nothing comes any more, and nothing can be written. */
  closed(): void;
}

export interface StreamListenerOptions {
  readonly address: ListenAddress;
  /** Instead of `address`. */
  readonly unix?: UnixSocketOptions;
  readonly tls?: TlsOptions;
  readonly limits: StreamListenerLimits;
  /** Called for each connection that is admitted, over TLS once its handshake is through. */
  readonly accept: (client: StreamClient) => StreamProtocol;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What the protocol holds of messages. */
  readonly heldBytes: () => number;
}

const SWEEP_MS = 1000;

/** Serves a protocol of bytes over TCP, TLS or a Unix socket, with limits on everything that a client could use up. Rejects with `LISTENER_IN_USE` or `OPTION_INVALID`. */
export async function listenStream(options: StreamListenerOptions): Promise<StreamListener> {
  const listener = new StreamListener(options, await createServer(options));
  await listener.start();
  return listener;
}

async function createServer({ tls, limits }: StreamListenerOptions): Promise<Server> {
  const settings = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
  if (tls === undefined) return createTcpServer(settings);
  return createTlsServer({ ...settings, ...(await loadTls(tls)), handshakeTimeout: limits.handshakeTimeoutMs });
}

export class StreamListener {
  address: ListenAddress;
  readonly #options: StreamListenerOptions;
  readonly #server: Server;
  readonly #table: ConnectionTable;
  readonly #meter: ListenerMeter;
  readonly #sessions = new Set<Session>();
  readonly #stopped = new AbortController();
  #placed: PlacedSocket | null = null;
  #isClosing = false;

  constructor(options: StreamListenerOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    this.address = options.address;
    this.#table = new ConnectionTable(options.limits, options.clock);
    this.#meter = new ListenerMeter(options.metrics, this.#table, options.heldBytes);
    let unixClients = 0;
    server.on('connection', (socket: Socket) => {
      const connection = this.#table.admit(socket, options.unix === undefined ? undefined : ++unixClients);
      if (connection !== null && options.tls === undefined) this.#begin(socket, connection);
    });
    const { tls, log } = options;
    if (tls === undefined) return;
    serveSecured(server, { tls, table: this.#table, meter: this.#meter, log }, (socket, connection) => {
      this.#begin(socket, connection);
    });
  }

  async start(): Promise<void> {
    const { address, unix, tls, clock, log } = this.#options;
    const { signal } = this.#stopped;
    if (unix === undefined) this.address = await bind(this.#server, address);
    else this.#placed = await bindUnix(this.#server, unix);
    // Not a reason to end: the next accept may succeed.
    this.#server.on('error', (error) => {
      log.warn({ error: describeError(error) }, 'Listener could not accept a connection');
    });
    void this.#sweep();
    if (tls !== undefined && this.#server instanceof TlsServer)
      void reloadTls({ server: this.#server, tls, clock, log, signal });
  }

  /**
   * Takes no more connections and reads nothing more, lets answers that are owed be given, and resolves when all connections are closed, by force after `graceMs`.
   */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    await this.#placed?.remove();
    for (const session of this.#sessions) session.finish();
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

  #begin(socket: Socket, connection: Connection): void {
    const session = new Session(socket, connection, this.#options);
    this.#sessions.add(session);
    socket.once('close', () => {
      this.#sessions.delete(session);
    });
    session.start(this.#options.accept(session));
    if (this.#isClosing) session.finish();
  }

  async #sweep(): Promise<void> {
    const { clock, limits } = this.#options;
    const { signal } = this.#stopped;
    for (;;) {
      await clock.sleep(SWEEP_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      this.#meter.publish();
      for (const session of this.#sessions) session.endIfLate(limits);
    }
  }
}

class Session implements StreamClient {
  readonly #socket: Socket;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #log: Logger;
  #protocol!: StreamProtocol;
  /** What a message may take in vain: time in which nothing was read. */
  #heldSinceMs: number | null = null;
  #heldMs = 0;
  #messageAtMs: number | null = null;
  #isFinishing = false;
  #isFlushDue = false;
  #isClosed = false;

  constructor(socket: Socket, connection: Connection, { clock, log }: Pick<StreamListenerOptions, 'clock' | 'log'>) {
    this.#socket = socket;
    this.#connection = connection;
    this.#clock = clock;
    this.#log = log;
  }

  get name(): string {
    return this.#connection.name;
  }

  get address(): string {
    return this.#connection.address;
  }

  start(protocol: StreamProtocol): void {
    const socket = this.#socket;
    this.#protocol = protocol;
    socket.on('error', (error) => {
      this.#log.debug({ client: this.name, error: describeError(error) }, 'Connection lost');
    });
    socket.once('close', () => {
      this.#isClosed = true;
      this.#flush();
    });
    socket.on('data', (bytes: Buffer) => {
      this.#connection.idleSinceMs = this.#clock.monotonic();
      this.#scheduleFlush();
      this.#attempt(() => protocol.take(bytes), bytes);
    });
  }

  write(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  owe(): void {
    this.#connection.begun++;
  }

  settle(): void {
    this.#connection.begun--;
    this.#connection.served++;
    this.#connection.idleSinceMs = this.#clock.monotonic();
    if (this.#isFinishing && this.#connection.begun === 0) this.#socket.destroySoon();
  }

  end(): void {
    this.#socket.destroySoon();
  }

  /** Reads nothing more and ends when no answer is owed. */
  finish(): void {
    this.#isFinishing = true;
    this.#socket.pause();
    if (this.#connection.begun === 0) this.#socket.destroySoon();
  }

  endIfLate({ messageTimeoutMs, idleMs }: StreamListenerLimits): void {
    if (this.#heldSinceMs !== null || this.#isFinishing) return;
    const now = this.#clock.monotonic();
    const { begunAtMs } = this.#protocol;
    if (begunAtMs !== this.#messageAtMs) {
      this.#messageAtMs = begunAtMs;
      this.#heldMs = 0;
    }
    if (begunAtMs !== null && now - begunAtMs - this.#heldMs > messageTimeoutMs) {
      this.#log.warn({ client: this.name, timeoutMs: messageTimeoutMs }, 'Message did not come whole in time, closing');
      this.#socket.destroy();
    } else if (begunAtMs === null && this.#connection.begun === 0 && now - this.#connection.idleSinceMs > idleMs)
      this.#socket.destroySoon();
  }

  #scheduleFlush(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#flush();
    });
  }

  /** Where something is under way it comes behind that. */
  #flush(): void {
    if (this.#heldSinceMs !== null) return;
    if (this.#isFlushDue) {
      this.#isFlushDue = false;
      this.#attempt(() => this.#protocol.flush());
      // What it waits for calls again.
      if (this.#isHeld()) return;
    }
    if (!this.#isClosed) return;
    this.#isClosed = false;
    this.#protocol.closed();
  }

  #isHeld(): boolean {
    return this.#heldSinceMs !== null;
  }

  #attempt(step: () => Promise<void> | void, bytes?: Buffer): void {
    try {
      const taken = step();
      if (taken !== undefined || this.#socket.writableNeedDrain) this.#hold(taken, bytes);
      else if (bytes !== undefined) freeBytes(bytes);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Reads nothing until what came is taken and what was written is on its way. */
  #hold(taken: Promise<void> | void, bytes?: Buffer): void {
    const socket = this.#socket;
    socket.pause();
    this.#heldSinceMs = this.#clock.monotonic();
    void Promise.resolve(taken)
      .then(() => {
        if (bytes !== undefined) freeBytes(bytes);
        return socket.writableNeedDrain ? drained(socket) : undefined;
      })
      .catch((error: unknown) => {
        this.#refuse(error);
      })
      .then(() => {
        this.#heldMs += this.#clock.monotonic() - this.#heldSinceMs!;
        this.#heldSinceMs = null;
        this.#flush();
        if (!this.#isFinishing && !this.#isHeld()) socket.resume();
      });
  }

  #refuse(error: unknown): void {
    if (this.#socket.destroyed) return;
    this.#log.warn({ client: this.name, error: describeError(error) }, 'What a client sent cannot be taken, closing');
    this.#socket.destroy();
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', resolve);
    socket.once('close', () => {
      resolve();
    });
  });
}

/** At once. Left to the collector, what a busy connection read has it mark the whole heap several times a second. */
function freeBytes({ length, buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}
