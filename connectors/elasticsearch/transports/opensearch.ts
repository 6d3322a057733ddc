import { Client } from '@opensearch-project/opensearch';
import type { IncomingHttpHeaders } from 'node:http';
import { FingerprintAgent } from './fingerprint.ts';
import {
  bearerHeader,
  KEEP_ALIVE_MS,
  lowerCaseNames,
  MAX_CONNECTIONS,
  type Transport,
  type TransportSettings,
} from './transport.ts';

interface Answer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AsyncIterable<Buffer>;
}

/** Through @opensearch-project/opensearch, which asks for no product. */
export function connectOpenSearch(endpoint: string, settings: TransportSettings): Transport {
  const { auth, tls, fingerprint, proxy, headers, requestTimeoutMs } = settings;
  const agent = { maxSockets: MAX_CONNECTIONS, keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS };
  const client = new Client({
    node: endpoint,
    maxRetries: 0,
    requestTimeout: requestTimeoutMs,
    headers: { ...lowerCaseNames(headers), ...bearerHeader(auth) },
    agent: fingerprint === null ? agent : () => new FingerprintAgent(fingerprint, { ...agent, ...tls }),
    ...(proxy === null ? {} : { proxy }),
    ...(auth !== null && 'username' in auth ? { auth } : {}),
    ...(tls === null ? {} : { ssl: tls }),
  });
  return {
    async request({ bulkBody, ...request }, { signal, isGzipped }) {
      // Its types know bodies of text and objects; bytes are sent as they are.
      const body = bulkBody === undefined ? {} : { bulkBody: bulkBody as unknown as string };
      const sent = client.transport.request(
        { ...request, ...body },
        { asStream: true, ...(isGzipped ? { headers: { 'content-encoding': 'gzip' } } : {}) },
      );
      const abort = (): void => {
        sent.abort();
      };
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      const { statusCode, headers: answered, body: stream } = (await sent) as unknown as Answer;
      return { statusCode, headers: answered, body: stream };
    },
    close: () => client.close(),
  };
}
