import type * as Undici from 'undici';
import type { Clock, OutboundRules } from '../api/index.ts';
import { AddressGuard } from './address-guard.ts';
import { clientCredentials, type ClientCredentialOptions, type Credentials } from './client-auth.ts';
import { proxyFor, type ClientProxyOptions, type Proxy } from './client-proxy.ts';
import { AnswerTooLarge, explainHttpFailure } from './http-failure.ts';
import { createConnector, createTunnels } from './http-connector.ts';
import { loadPinnedTls, type PinnedTlsOptions } from './pinned-tls.ts';
import { retryAfterMs } from './retry-after.ts';

/** Proxies and balancers close connections that idle; ours go first. */
const KEEP_ALIVE_MS = 30_000;
const DEFAULT_CONNECTIONS = 8;
const DEFAULT_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_CONNECT_MS = 10_000;

export interface HttpClientSettings {
  readonly clock: Pick<Clock, 'now'>;
  readonly outbound: OutboundRules;
  readonly auth?: ClientCredentialOptions | undefined;
  readonly tls?: PinnedTlsOptions | undefined;
  /** Of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly proxy?: ClientProxyOptions | undefined;
  /** From the request to the last byte of its answer. */
  readonly timeoutMs: number;
  /** A larger answer is cut off and counts as none. Default 64 MiB. */
  readonly maxAnswerBytes?: number;
  /** To one endpoint at the same time. Default 8. */
  readonly connections?: number;
  /** Where `HTTPS_PROXY` and the like are looked for. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface HttpClientRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind the path of the endpoint; begins with a slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Must stay as it is until the answer is there, and for ever when none came: it may still be on its way. */
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of that of the client. */
  readonly timeoutMs?: number;
}

export interface HttpClientAnswer {
  readonly status: number;
  readonly bytes: Buffer;
  /** By lower-case name; null when there is none, the first of several. */
  header(name: string): string | null;
  /** What `Retry-After` says. */
  readonly retryAfterMs: number | undefined;
}

/** What the clients of a connector share. */
export class HttpClients {
  readonly settings: HttpClientSettings;
  readonly #undici: typeof Undici;
  readonly #parts: ClientParts;

  private constructor(settings: HttpClientSettings, undici: typeof Undici, parts: ClientParts) {
    this.settings = settings;
    this.#undici = undici;
    this.#parts = parts;
  }

  /** Throws `OPTION_INVALID` naming a file that TLS cannot use, or what else no client can be made with. */
  static async load(settings: HttpClientSettings): Promise<HttpClients> {
    // Hubs that send nothing over HTTP do without.
    const undici = await import('undici');
    const { auth, tls, timeoutMs, outbound } = settings;
    const guard = new AddressGuard(outbound);
    const connector = createConnector({
      undici,
      guard,
      tls: tls === undefined ? null : await loadPinnedTls(tls),
      timeoutMs: Math.min(timeoutMs, MAX_CONNECT_MS),
    });
    return new HttpClients(settings, undici, { guard, connector, credentials: clientCredentials(auth) });
  }

  /** For one server. `endpoint`: `https://host:port/path`. */
  client(endpoint: string): HttpClient {
    const { settings } = this;
    const proxy = proxyFor(new URL(endpoint), settings.proxy, settings.env ?? process.env);
    return new HttpClient(endpoint, settings, { ...this.#parts, undici: this.#undici, proxy });
  }

  /** For servers that can stand in for each other. */
  all(endpoints: readonly string[]): readonly HttpClient[] {
    return endpoints.map((endpoint) => this.client(endpoint));
  }
}

interface ClientParts {
  readonly guard: AddressGuard;
  readonly connector: Undici.buildConnector.connector;
  readonly credentials: Credentials;
}

/** One server: a few connections that are kept, no redirects, no retries. */
export class HttpClient {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly #settings: HttpClientSettings;
  readonly #guard: AddressGuard;
  readonly #hostname: string;
  readonly #credentials: Credentials;
  readonly #pool: Undici.Pool;
  readonly #proxyClient: Undici.Client | null = null;
  /** Before the path of each request. */
  readonly #basePath: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(
    endpoint: string,
    settings: HttpClientSettings,
    { undici, guard, connector, credentials, proxy }: ClientParts & { undici: typeof Undici; proxy: Proxy | null },
  ) {
    this.endpoint = endpoint.replace(/\/+$/, '');
    this.#settings = settings;
    this.#guard = guard;
    this.#credentials = credentials;
    const { origin, host, hostname, pathname, protocol } = new URL(this.endpoint);
    this.#hostname = hostname;
    const options = {
      connections: settings.connections ?? DEFAULT_CONNECTIONS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      // One limit for all of a request is ours (`send`).
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    const path = pathname === '/' ? '' : pathname;
    const isForwarded = proxy !== null && protocol === 'http:';
    this.#basePath = isForwarded ? `${origin}${path}` : path;
    this.#headers = {
      ...lowerCased(settings.headers ?? {}),
      ...(isForwarded ? { host, ...proxyHeaders(proxy) } : {}),
    };
    if (proxy === null || isForwarded) {
      this.#pool = new undici.Pool(proxy?.url.origin ?? origin, { ...options, connect: connector });
    } else {
      this.#proxyClient = new undici.Client(proxy.url.origin, { connect: connector });
      this.#pool = new undici.Pool(origin, {
        ...options,
        connect: createTunnels(proxy, this.#proxyClient, connector),
      });
    }
  }

  /** Any status is an answer. Throws `SINK_UNAVAILABLE` when there is none, `SINK_BLOCKED` when waiting would not help. */
  async send(request: HttpClientRequest, signal: AbortSignal): Promise<HttpClientAnswer> {
    const { method, path, query, body, headers } = request;
    const timeoutMs = request.timeoutMs ?? this.#settings.timeoutMs;
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      // Nobody is asked for the address of an address; behind a proxy it is not we who connect.
      this.#guard.checkLiteral(this.#hostname);
      const authorization = await this.#credentials();
      const answer = await this.#pool.request({
        method,
        path: `${this.#basePath}${path}${query === undefined ? '' : `?${new URLSearchParams(query).toString()}`}`,
        headers: { ...this.#headers, ...headers, ...(authorization === null ? {} : { authorization }) },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.any([signal, limit]),
      });
      const bytes = await readAll(answer.body, this.#settings.maxAnswerBytes ?? DEFAULT_ANSWER_BYTES);
      const header = (name: string): string | null => [answer.headers[name]].flat()[0] ?? null;
      return {
        status: answer.statusCode,
        bytes,
        header,
        retryAfterMs: retryAfterMs(header('retry-after'), this.#settings.clock),
      };
    } catch (error) {
      throw explainHttpFailure(error, { doing: this.describe(method, path), timeoutMs, isLate: limit.aborted });
    }
  }

  /** `POST http://host:8983/solr/orders/update`, for messages. */
  describe(method: string, path: string): string {
    return `${method} ${this.endpoint}${path}`;
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await Promise.all([this.#pool.destroy(), this.#proxyClient?.destroy()]);
  }
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function proxyHeaders({ authorization }: Proxy): Record<string, string> {
  return authorization === null ? {} : { 'proxy-authorization': authorization };
}

async function readAll(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    // Leaving the loop ends the connection: what else comes is not read.
    if (length > maxBytes) throw new AnswerTooLarge(maxBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
}
