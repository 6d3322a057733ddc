import type { IncomingHttpHeaders } from 'node:http';
import type { ConnectionOptions } from 'node:tls';

/** Proxies close connections that idle; ours go first. */
export const KEEP_ALIVE_MS = 30_000;
export const MAX_CONNECTIONS = 8;

export interface TransportSettings {
  readonly auth: Credentials | null;
  readonly tls: ConnectionOptions | null;
  /** SHA-256 of the authority or certificate that the server has to show, hexadecimal with colons. */
  readonly fingerprint: string | null;
  /** `http://proxy:3128` */
  readonly proxy: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestTimeoutMs: number;
}

export type Credentials =
  { readonly username: string; readonly password: string } | { readonly apiKey: string } | { readonly bearer: string };

interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly querystring: Readonly<Record<string, string>>;
  readonly bulkBody?: Buffer;
  readonly body?: object;
}

export interface TransportAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AsyncIterable<Buffer>;
}

/** One endpoint, as the client library of its system reaches it. Any status is an answer. */
export interface Transport {
  request(
    request: TransportRequest,
    options: { readonly signal: AbortSignal; readonly isGzipped: boolean },
  ): Promise<TransportAnswer>;
  close(): Promise<void>;
}

export type ConnectTransport = (endpoint: string, settings: TransportSettings) => Transport;

/** What clients that know no bearer tokens send themselves. */
export function bearerHeader(auth: Credentials | null): Readonly<Record<string, string>> {
  return auth !== null && 'bearer' in auth ? { authorization: `Bearer ${auth.bearer}` } : {};
}

/** Clients send a name in two spellings as two headers. */
export function lowerCaseNames(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
