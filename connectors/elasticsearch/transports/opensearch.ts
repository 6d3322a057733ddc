import { Client, Connection } from '@opensearch-project/opensearch';
import type { HttpClient, HttpClientAnswer } from 'sluice/toolkit';
import { sendOver, type Transport } from './transport.ts';

/** Through @opensearch-project/opensearch, which asks for no product. */
export function connectOpenSearch(http: HttpClient): Transport {
  const client = new Client({ node: http.endpoint, maxRetries: 0, Connection: connectionOver(http) });
  return {
    async request({ bulkBody, ...request }, { signal, isGzipped }) {
      // Its types know bodies of text and objects; bytes are sent as they are.
      const body = bulkBody === undefined ? {} : { bulkBody: bulkBody as unknown as string };
      const sent = client.transport.request(
        { ...request, ...body },
        // Hands over what the connection gives.
        { asStream: true, ...(isGzipped ? { headers: { 'content-encoding': 'gzip' } } : {}) },
      );
      const abort = (): void => {
        sent.abort();
      };
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      try {
        return ((await sent).body as unknown as Response).answer;
      } catch (error) {
        throw error instanceof NoAnswer ? error.reason : error;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
  };
}

interface Response {
  readonly statusCode: number;
  readonly headers: object;
  readonly answer: HttpClientAnswer;
}

/** The client writes the whole request, credentials included, into each error that it is told: into this one, and not into that of ours. */
class NoAnswer extends Error {
  // Of any other name it would not use the connection again.
  override readonly name = 'RequestAbortedError';
  readonly reason: unknown;

  constructor(reason: unknown) {
    super('no answer');
    this.reason = reason;
  }
}

type Callback = (error: Error | null, response: Response | null) => void;

function connectionOver(http: HttpClient): typeof Connection {
  return class extends Connection {
    constructor(options: ConstructorParameters<typeof Connection>[0]) {
      // Else it makes one of its own.
      super({ ...options!, agent: () => undefined });
    }

    override request(sent: Parameters<Connection['request']>[0], callback: unknown): never {
      const done = callback as Callback;
      const stop = new AbortController();
      void sendOver(http, sent, stop.signal).then(
        (answer) => {
          done(null, { statusCode: answer.status, headers: {}, answer });
        },
        (reason: unknown) => {
          done(new NoAnswer(reason), null);
        },
      );
      return {
        abort: () => {
          stop.abort();
        },
      } as never;
    }
  };
}
