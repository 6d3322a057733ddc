import type { HttpClient, HttpClientAnswer } from 'sluice/toolkit';

interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly querystring: Readonly<Record<string, string>>;
  readonly bulkBody?: Buffer;
  readonly body?: object;
}

/** One endpoint, as the client library of its system speaks to it. Any status is an answer. */
export interface Transport {
  request(
    request: TransportRequest,
    options: { readonly signal: AbortSignal; readonly isGzipped: boolean },
  ): Promise<HttpClientAnswer>;
}

/** What the library wants sent goes over `http`: addresses, TLS, proxies, credentials and limits are the same for all connectors. */
export type ConnectTransport = (http: HttpClient) => Transport;

interface Sent {
  readonly method?: string | undefined;
  readonly path?: string | null | undefined;
  readonly querystring?: string | undefined;
  readonly headers?: object | undefined;
  readonly body?: unknown;
}

/** What a library would send, sent. */
export function sendOver(
  http: HttpClient,
  { method, path, querystring = '', headers, body }: Sent,
  signal: AbortSignal,
): Promise<HttpClientAnswer> {
  return http.send(
    {
      method: method as TransportRequest['method'],
      path: path ?? '/',
      ...(querystring === '' ? {} : { query: Object.fromEntries(new URLSearchParams(querystring)) }),
      ...(typeof body === 'string' ? { body: Buffer.from(body) } : Buffer.isBuffer(body) ? { body } : {}),
      headers: headers as Readonly<Record<string, string>>,
    },
    signal,
  );
}
