import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { gunzipSync } from 'node:zlib';

export interface TakenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** Inflated. */
  readonly body: string;
}

type Answer = (request: TakenRequest, response: ServerResponse) => void;

/** Answers as a test says: what a real server does not do on demand. */
export class FakeServer {
  readonly url: string;
  readonly requests: TakenRequest[] = [];
  answer: Answer;
  readonly #server: Server;

  private constructor(server: Server, scheme: string, answer: Answer) {
    this.#server = server;
    this.answer = answer;
    this.url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(answer: Answer = allWritten, tls?: TlsOptions): Promise<FakeServer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const fake = new FakeServer(server, tls === undefined ? 'http' : 'https', answer);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
        const taken = { method: request.method!, url: request.url!, headers: request.headers, body };
        fake.requests.push(taken);
        response.setHeader('X-Elastic-Product', 'Elasticsearch');
        response.setHeader('Content-Type', 'application/vnd.elasticsearch+json;compatible-with=8');
        fake.answer(taken, response);
      });
    });
    return fake;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** As Elasticsearch when all is well. */
export function allWritten({ body }: TakenRequest, response: ServerResponse): void {
  response.end(JSON.stringify({ errors: false, items: actionsIn(body).map(() => ({ create: { status: 201 } })) }));
}

function actionsIn(body: string): readonly string[] {
  return body.split('\n').filter((line) => /^\{"(?:create|index|delete)":/.test(line));
}
