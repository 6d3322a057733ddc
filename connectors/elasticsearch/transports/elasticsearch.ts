import { BaseConnection, Client } from '@elastic/elasticsearch';
import type { HttpClient, HttpClientAnswer } from 'sluice/toolkit';
import { sendOver, type Transport } from './transport.ts';

const PRODUCT = 'x-elastic-product';

/** Through @elastic/elasticsearch, whose client refuses what is not Elasticsearch. */
export function connectElasticsearch(http: HttpClient): Transport {
  const client = new Client({
    node: http.endpoint,
    maxRetries: 0,
    // The default copies the request byte by byte into every error: seconds for a few megabytes.
    redaction: { type: 'off' },
    Connection: connectionOver(http),
  });
  return {
    async request(request, { signal, isGzipped }) {
      const { body } = await client.transport.request<HttpClientAnswer>(request, {
        // Hands over what the connection gives.
        asStream: true,
        meta: true,
        signal,
        ...(isGzipped ? { headers: { 'content-encoding': 'gzip' } } : {}),
      });
      return body;
    },
  };
}

function connectionOver(http: HttpClient): typeof BaseConnection {
  return class extends BaseConnection {
    override async request(...[sent, { signal }]: Parameters<BaseConnection['request']>): Promise<never> {
      const answer = await sendOver(http, sent, signal!);
      return { statusCode: answer.status, headers: { [PRODUCT]: answer.header(PRODUCT) }, body: answer } as never;
    }
  };
}
