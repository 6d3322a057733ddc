import { SluiceError } from 'sluice/api';
import { explainTlsFailure } from 'sluice/toolkit';
import type { ConnectTransport, Transport, TransportSettings } from './transports/transport.ts';

/** Larger answers are cut off: one to a full batch has a few hundred kilobytes. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/** How nodes are reached. */
export interface NodeSettings extends TransportSettings {
  readonly connect: ConnectTransport;
}

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

export interface NodeAnswer {
  readonly status: number;
  readonly bytes: Buffer;
  /** As the server wrote it. */
  readonly retryAfter: string | null;
}

/** One endpoint. Never logs or passes on what the client throws: its errors hold the whole request, credentials included. */
export class ElasticsearchNode {
  readonly endpoint: string;
  readonly #transport: Transport;
  readonly #settings: NodeSettings;

  constructor(endpoint: string, settings: NodeSettings) {
    this.endpoint = endpoint;
    this.#settings = settings;
    this.#transport = settings.connect(endpoint, settings);
  }

  /** Any status is an answer. Throws `SINK_UNAVAILABLE` when there is none, `SINK_BLOCKED` when waiting would not help. */
  async send(request: NodeRequest, signal: AbortSignal): Promise<NodeAnswer> {
    const { method, path, query = {}, body, json, isGzipped = false } = request;
    const ended = new AbortController();
    const limit = AbortSignal.timeout(this.#settings.requestTimeoutMs);
    try {
      const {
        statusCode,
        headers,
        body: stream,
      } = await this.#transport.request(
        {
          method,
          path,
          querystring: query,
          ...(body === undefined ? {} : { bulkBody: body }),
          ...(json === undefined ? {} : { body: json }),
        },
        { signal: AbortSignal.any([signal, limit, ended.signal]), isGzipped },
      );
      const retryAfter = headers['retry-after'];
      const bytes = await readAll(stream);
      return { status: statusCode, bytes, retryAfter: typeof retryAfter === 'string' ? retryAfter : null };
    } catch (error) {
      throw this.#explained(error, { method, path, isLate: limit.aborted });
    } finally {
      // An answer that nobody reads to its end would hold its connection.
      ended.abort();
    }
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  describe(method: string, path: string): string {
    return `${method} ${this.endpoint}${path}`;
  }

  #explained(error: unknown, { method, path, isLate }: { method: string; path: string; isLate: boolean }): SluiceError {
    const doing = this.describe(method, path);
    if (error instanceof ReplyTooLarge)
      return new SluiceError('SINK_UNAVAILABLE', `${doing}: the answer is larger than 64 MiB`, { retryable: true });
    const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
    if (name === 'ProductNotSupportedError') {
      const what = 'something answers that is not Elasticsearch 7.14 or newer';
      return new SluiceError('SINK_BLOCKED', `${doing}: ${what}; OpenSearch is another system`);
    }
    if (isLate || name === 'TimeoutError') {
      const seconds = this.#settings.requestTimeoutMs / 1000;
      return new SluiceError('SINK_UNAVAILABLE', `${doing}: no answer within ${seconds} s`, { retryable: true });
    }
    const tls = explainTlsFailure(message);
    if (tls !== null) return new SluiceError('SINK_BLOCKED', `${doing}: TLS: ${tls}`);
    return new SluiceError('SINK_UNAVAILABLE', `${doing}: ${firstLine(message)}`, { retryable: true });
  }
}

class ReplyTooLarge extends Error {}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MAX_REPLY_BYTES) throw new ReplyTooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]!.slice(0, 300);
}
