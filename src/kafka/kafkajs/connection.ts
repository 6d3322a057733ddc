import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type Connection from 'kafkajs/src/network/connection.js';
import type { KafkajsLogger, KafkajsSasl } from 'kafkajs/src/network/connection.js';
import type { KafkajsExchange, KafkajsVersions } from 'kafkajs/src/protocol/requests/index.js';
import type { Logger } from '../../api/index.ts';
import { addressOf, type BrokerAddress } from '../common/address.ts';
import type { KafkaSettings } from '../options.ts';
import { KafkaError } from '../common/errors.ts';
import { libraryError } from './errors.ts';
import type { Library } from './library.ts';
import { openingError } from './opening-error.ts';

export interface ConnectOptions extends BrokerAddress {
  readonly settings: KafkaSettings;
  /** Asked when the broker closes the connection. */
  readonly mayLackCredentials: () => boolean;
  readonly tls: ConnectionOptions | null;
  readonly sasl: KafkajsSasl | null;
  readonly log: Logger;
}

/** What an API of kafkajs answers with, error codes and all: they are the caller's to judge, entry by entry. */
export type Reply = Readonly<Record<string, unknown>>;

/** One live connection to a broker. Once it broke it stays so: whoever needs another makes a new one. */
export class BrokerConnection {
  readonly address: string;
  readonly #library: Library;
  readonly #connection: Connection;
  readonly #versions: KafkajsVersions;
  readonly #mayLackCredentials: () => boolean;

  constructor(
    library: Library,
    connection: Connection,
    { versions, ...options }: ConnectOptions & { readonly versions: KafkajsVersions },
  ) {
    this.address = addressOf(options);
    this.#mayLackCredentials = options.mayLackCredentials;
    this.#library = library;
    this.#connection = connection;
    this.#versions = versions;
  }

  get isConnected(): boolean {
    return this.#connection.isConnected();
  }

  /** The highest version that broker and kafkajs know; 0 too when kafkajs does not know the API. -1: the broker does not offer it. */
  version(api: string): number {
    const offered = this.#offered(api);
    if (offered === undefined) return -1;
    const best = Math.max(0, ...(this.#library.requests[api]?.versions ?? []).map(Number));
    return Math.min(best, offered.maxVersion);
  }

  /** Of an API that kafkajs does not know. */
  offers(apiKey: number, version: number): boolean {
    const offered = this.#versions[apiKey];
    return offered !== undefined && version >= offered.minVersion && version <= offered.maxVersion;
  }

  /** What kafkajs would send and how it would read the answer, for those who write or read it otherwise. */
  exchange(api: string, parameters: unknown): KafkajsExchange {
    const version = this.version(api);
    const lowest = this.#offered(api)?.minVersion ?? 0;
    if (version < 0 || version < lowest) throw unsupported(api, this.address);
    return this.#library.requests[api]!.protocol({ version })(parameters);
  }

  /** Sends a request and resolves with the decoded answer, whatever error codes it carries. */
  async call<Answer = Reply>(api: string, parameters: unknown, doing: string): Promise<Answer> {
    return this.send<Answer>(this.exchange(api, parameters), doing);
  }

  async send<Answer>({ request, response, requestTimeout }: KafkajsExchange, doing: string): Promise<Answer> {
    try {
      const unjudged = { decode: response.decode, parse: (decoded: unknown) => Promise.resolve(decoded as Answer) };
      return await this.#connection.send({
        request,
        response: unjudged,
        requestTimeout: requestTimeout ?? null,
        logResponseError: false,
      });
    } catch (error) {
      // A broker that is silent for so long may never speak again, and answers in order: nothing behind it would be heard.
      if ((error as Error).name === 'KafkaJSRequestTimeoutError') this.close();
      throw libraryError(error, doing, { broker: this.address, mayLackCredentials: this.#mayLackCredentials() });
    }
  }

  /** What waits for an answer rejects. */
  close(): void {
    this.#connection.rejectRequests(closedError(this.address));
    this.#connection.requestQueue.destroy();
    this.#connection.socket?.destroy();
    void this.#connection.disconnect();
  }

  #offered(api: string): KafkajsVersions[number] | undefined {
    const key = this.#library.apiKeys[api];
    return key === undefined ? undefined : this.#versions[key];
  }
}

/** Connects, asks for the versions, and authenticates. Rejects with `KAFKA_UNREACHABLE`, `KAFKA_TLS` or `KAFKA_CREDENTIALS`. */
export async function connectBroker(library: Library, options: ConnectOptions): Promise<BrokerConnection> {
  const address = addressOf(options);
  const { id: clientId, connect_timeout: connectionTimeout, request_timeout: requestTimeout } = options.settings.client;
  const peer: Peer = { isTlsAlert: false, breaks: [] };
  const connection = new library.Connection({
    host: options.host,
    port: options.port,
    clientId,
    logger: quietLogger(options.log),
    ssl: options.tls,
    sasl: options.sasl,
    socketFactory: ({ onConnect }) => openSocket(options, peer, onConnect),
    connectionTimeout,
    requestTimeout,
    enforceRequestTimeout: true,
  });
  stopIdleTimers(connection);
  try {
    const versions = await withinTime(begin(library, connection, options), connection, connectionTimeout);
    return new BrokerConnection(library, connection, { ...options, versions });
  } catch (error) {
    connection.rejectRequests(closedError(address));
    connection.requestQueue.destroy();
    connection.socket?.destroy();
    throw await openingError([...peer.breaks, error], {
      at: options,
      settings: options.settings,
      isTlsAlert: peer.isTlsAlert,
    });
  }
}

async function begin(library: Library, connection: Connection, options: ConnectOptions): Promise<KafkajsVersions> {
  await connection.connect();
  const versions = await askVersions(library, connection);
  connection.setVersions(versions);
  if (options.sasl === null) return versions;
  connection.setSupportAuthenticationProtocol(versions[library.apiKeys.SaslAuthenticate!] !== undefined);
  await connection.authenticate();
  return versions;
}

interface ApiVersions {
  readonly errorCode: number;
  readonly apiVersions: readonly {
    readonly apiKey: number;
    readonly minVersion: number;
    readonly maxVersion: number;
  }[];
}

/** From the newest version that kafkajs knows downwards: brokers before 2.0 refuse the newer ones. */
async function askVersions(library: Library, connection: Connection): Promise<KafkajsVersions> {
  for (let version = 2; ; version--) {
    const { request, response } = library.requests.ApiVersions!.protocol({ version })({});
    try {
      const parse = (decoded: unknown): Promise<ApiVersions> => Promise.resolve(decoded as ApiVersions);
      const answer = await connection.send({
        request,
        response: { decode: response.decode, parse },
        logResponseError: false,
      });
      return Object.fromEntries(answer.apiVersions.map((offered) => [offered.apiKey, offered]));
    } catch (error) {
      if (version === 0 || (error as { type?: string }).type !== 'UNSUPPORTED_VERSION') throw error;
    }
  }
}

/** kafkajs does not settle every `connect` whose peer goes away meanwhile. */
async function withinTime<Result>(begun: Promise<Result>, connection: Connection, timeoutMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('timed out'));
      connection.socket?.destroy();
    }, timeoutMs);
  });
  try {
    return await Promise.race([begun, late]);
  } finally {
    clearTimeout(timer);
    begun.catch(() => undefined);
  }
}

/** What is seen of the other end before kafkajs makes an error of its own of it. */
interface Peer {
  isTlsAlert: boolean;
  readonly breaks: Error[];
}

function openSocket({ host, port, tls }: ConnectOptions, peer: Peer, onConnect: () => void): Socket {
  const socket =
    tls === null
      ? connectTcp({ host, port }, onConnect)
      : connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...tls }, onConnect);
  socket.setKeepAlive(true, 60_000);
  socket.setNoDelay(true);
  socket.on('error', (error: Error) => peer.breaks.push(error));
  if (tls === null) {
    // An alert of TLS 1.x is how such a listener answers plain text; kafkajs would take it for a length and wait.
    socket.once('data', (bytes: Buffer) => {
      if (bytes[0] !== 0x15 || bytes[1] !== 0x03) return;
      peer.isTlsAlert = true;
      socket.destroy(new Error('the broker answered with a TLS alert'));
    });
  }
  return socket;
}

/**
 * kafkajs plans a check of waiting requests after every answer, with a delay that is negative unless the broker throttles: thousands of timers a second on
 * an idle connection. There is something to check only while requests wait.
 */
function stopIdleTimers({ requestQueue }: Connection): void {
  requestQueue.scheduleCheckPendingRequests = () => {
    if (requestQueue.throttleCheckTimeoutId !== null || requestQueue.pending.length === 0) return;
    const delayMs = Math.max(10, requestQueue.throttledUntil - Date.now());
    requestQueue.throttleCheckTimeoutId = setTimeout(() => {
      requestQueue.throttleCheckTimeoutId = null;
      requestQueue.checkPendingRequests();
    }, delayMs);
  };
}

/** Errors of connections reach the caller; what kafkajs says beside them is for a debugging reader. */
function quietLogger(log: Logger): KafkajsLogger {
  const debug = (message: string): void => {
    log.debug({ library: 'kafkajs', said: message }, 'said by the library of the Kafka client');
  };
  const logger: KafkajsLogger = {
    namespace: () => logger,
    error: debug,
    warn: debug,
    info: () => undefined,
    debug: () => undefined,
  };
  return logger;
}

function closedError(address: string): KafkaError {
  return new KafkaError('KAFKA_UNREACHABLE', 'metadata', `talking to broker ${address}`, 'the connection was closed');
}

export function unsupported(api: string, address: string): KafkaError {
  const doing = `sending a request ${api} to broker ${address}`;
  return new KafkaError('KAFKA_UNSUPPORTED', 'fatal', doing, 'it does not offer a version that kafkajs knows');
}
