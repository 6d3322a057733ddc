import { Client, HttpConnection } from '@elastic/elasticsearch';
import {
  KEEP_ALIVE_MS,
  lowerCaseNames,
  MAX_CONNECTIONS,
  type Transport,
  type TransportAnswer,
  type TransportSettings,
} from './transport.ts';

/** Through @elastic/elasticsearch, whose client refuses what is not Elasticsearch. */
export function connectElasticsearch(endpoint: string, settings: TransportSettings): Transport {
  const { auth, tls, fingerprint, proxy, headers, requestTimeoutMs } = settings;
  const client = new Client({
    node: endpoint,
    maxRetries: 0,
    requestTimeout: requestTimeoutMs,
    // The default copies the request byte by byte into every error: seconds for a few megabytes.
    redaction: { type: 'off' },
    headers: lowerCaseNames(headers),
    // Only the connection over node:http knows proxies; undici costs less.
    ...(proxy === null
      ? { agent: { connections: MAX_CONNECTIONS, keepAliveTimeout: KEEP_ALIVE_MS, keepAliveMaxTimeout: KEEP_ALIVE_MS } }
      : { Connection: HttpConnection, proxy, agent: { maxSockets: MAX_CONNECTIONS, keepAlive: true } }),
    ...(auth === null ? {} : { auth }),
    ...(tls === null ? {} : { tls }),
    ...(fingerprint === null ? {} : { caFingerprint: fingerprint }),
  });
  return {
    async request(request, { signal, isGzipped }) {
      const {
        statusCode,
        headers: answered,
        body,
      } = await client.transport.request<AsyncIterable<Buffer>>(request, {
        asStream: true,
        meta: true,
        signal,
        ...(isGzipped ? { headers: { 'content-encoding': 'gzip' } } : {}),
      });
      return { statusCode, headers: answered, body } satisfies TransportAnswer;
    },
    close: () => client.close(),
  };
}
