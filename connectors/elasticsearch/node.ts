import { SluiceError } from 'sluice/api';
import type { Endpoint, HttpClient, HttpClientAnswer } from 'sluice/toolkit';
import type { ConnectTransport, Transport } from './transports/transport.ts';

export interface NodeRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** NDJSON, its last line ended. */
  readonly body?: Buffer;
  /** A body of JSON instead. */
  readonly json?: object;
  /** The body is compressed already. */
  readonly isGzipped?: boolean;
}

/** One endpoint. Never logs or passes on what the client library throws: its errors hold the whole request, credentials included. */
export class ElasticsearchNode implements Endpoint<NodeRequest, HttpClientAnswer> {
  readonly endpoint: string;
  readonly #http: HttpClient;
  readonly #transport: Transport;

  constructor(http: HttpClient, connect: ConnectTransport) {
    this.endpoint = http.endpoint;
    this.#http = http;
    this.#transport = connect(http);
  }

  /** Any status is an answer. Throws `SINK_UNAVAILABLE` when there is none, `SINK_BLOCKED` when waiting would not help. */
  async send(request: NodeRequest, signal: AbortSignal): Promise<HttpClientAnswer> {
    const { method, path, query = {}, body, json, isGzipped = false } = request;
    try {
      return await this.#transport.request(
        {
          method,
          path,
          querystring: query,
          ...(body === undefined ? {} : { bulkBody: body }),
          ...(json === undefined ? {} : { body: json }),
        },
        { signal, isGzipped },
      );
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      throw explained(error, this.describe(method, path));
    }
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  describe(method: string, path: string): string {
    return this.#http.describe(method, path);
  }
}

/** Of what the client library says itself. */
function explained(error: unknown, doing: string): SluiceError {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  if (name === 'ProductNotSupportedError') {
    const what = 'something answers that is not Elasticsearch 7.14 or newer';
    return new SluiceError('SINK_BLOCKED', `${doing}: ${what}; OpenSearch is another system`);
  }
  return new SluiceError('SINK_UNAVAILABLE', `${doing}: ${firstLine(message)}`, { retryable: true });
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]!.slice(0, 300);
}
