import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';

export interface Update {
  /** `/solr/orders/update` */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Ids of the documents, and of what is deleted, in their order. */
  readonly adds: readonly string[];
  readonly deletes: readonly string[];
}

type Answer = (update: Update, response: ServerResponse) => void;

/** Says what a test wants said: what a real Solr does not do on demand. Without that all documents are taken. */
export class FakeSolr {
  readonly url: string;
  readonly updates: Update[] = [];
  /** Paths of requests that are no updates, with their queries. */
  readonly asked: string[] = [];
  answer: Answer = allTaken;
  /** By the last parts of their paths; an answer of 200 each. */
  facts: Record<string, unknown> = {
    '/schema': { schema: { uniqueKey: 'id', fields: [{ name: 'id', type: 'string' }], dynamicFields: [] } },
    '/config/updateRequestProcessorChain': { config: { updateRequestProcessorChain: [] } },
  };
  readonly #server: Server;

  private constructor(server: Server, scheme: string) {
    this.#server = server;
    this.url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/solr`;
  }

  static async start(tls?: TlsOptions): Promise<FakeSolr> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const fake = new FakeSolr(server, tls === undefined ? 'http' : 'https');
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        fake.#take(request, Buffer.concat(chunks).toString(), response);
      });
    });
    return fake;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(request: IncomingMessage, body: string, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url!, this.url);
    if (pathname.endsWith('/update')) {
      const update = {
        path: pathname,
        query: searchParams,
        headers: request.headers,
        body,
        ...commandsIn(body),
      };
      this.updates.push(update);
      this.answer(update, response);
      return;
    }
    this.asked.push(request.url!.slice('/solr'.length));
    const fact = Object.entries(this.facts).find(([path]) => pathname.endsWith(path));
    const [status, json] = fact === undefined ? [404, {}] : [200, fact[1]];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  }
}

/** As Solr when all is well. */
export function allTaken({ adds, deletes }: Pick<Update, 'adds' | 'deletes'>, response: ServerResponse): void {
  response.end(JSON.stringify(taken(adds, deletes)));
}

/** `rf`: as a cloud says it. */
export function taken(adds: readonly string[], deletes: readonly string[] = [], header: object = {}): object {
  return {
    responseHeader: { status: 0, QTime: 1, ...header },
    ...(adds.length === 0 ? {} : { adds: adds.flatMap((id, at) => [id, 1000 + at]) }),
    ...(deletes.length === 0 ? {} : { deletes: deletes.flatMap((id, at) => [id, -1000 - at]) }),
  };
}

/** As Solr says no. */
export function refusal(code: number, msg: string, rest: object = {}): string {
  return JSON.stringify({
    responseHeader: { status: code, QTime: 3 },
    ...rest,
    error: { metadata: ['error-class', 'org.apache.solr.common.SolrException'], msg, code },
  });
}

/** Of an array of documents, or of commands whose names repeat. */
function commandsIn(body: string): { adds: string[]; deletes: string[] } {
  const found: { adds: string[]; deletes: string[] } = { adds: [], deletes: [] };
  if (body.startsWith('[')) {
    found.adds.push(...(JSON.parse(body) as { id: string }[]).map(({ id }) => id));
    return found;
  }
  for (const [, command, id] of body.matchAll(/"(add|delete)":\{(?:"doc":\{)?"id":("(?:[^"\\]|\\.)*")/g))
    found[command === 'add' ? 'adds' : 'deletes'].push(JSON.parse(id!) as string);
  return found;
}
