import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

interface Stored {
  readonly source: string;
  readonly version: number;
}

type Action = 'create' | 'index' | 'delete';

interface Target {
  readonly _index: string;
  readonly _id: string;
  readonly version?: number;
}

/**
 * An Elasticsearch in memory that knows `_bulk` with `create`, `index` and `delete`, ids and external versions, for where no server is at hand.
 * It has no mappings: it refuses nothing but what is there already.
 */
export class ElasticsearchDouble {
  readonly port: number;
  readonly #server: Server;
  readonly #indices = new Map<string, Map<string, Stored>>();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(): Promise<ElasticsearchDouble> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const double = new ElasticsearchDouble(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
        const answer = /\/_bulk(\?|$)/.test(request.url!) ? double.#bulk(body) : { version: { number: '8.0.0' } };
        response.setHeader('X-Elastic-Product', 'Elasticsearch');
        response.setHeader('Content-Type', 'application/vnd.elasticsearch+json;compatible-with=8');
        response.end(JSON.stringify(answer));
      });
    });
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The documents of an index, as they were sent. */
  documents(index: string): readonly string[] {
    return [...(this.#indices.get(index)?.values() ?? [])].map(({ source }) => source);
  }

  get indices(): readonly string[] {
    return [...this.#indices.keys()];
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #bulk(body: string): object {
    const lines = body.split('\n');
    const items: object[] = [];
    let errors = false;
    for (let at = 0; at < lines.length && lines[at] !== '';) {
      const [[action, target]] = Object.entries(JSON.parse(lines[at++]!) as object) as [[Action, Target]];
      const source = action === 'delete' ? null : lines[at++]!;
      const status = this.#apply(action, target, source);
      errors ||= status >= 400;
      const { _index, _id } = target;
      const error =
        status === 409 ? { error: { type: 'version_conflict_engine_exception', reason: 'it is there' } } : {};
      items.push({ [action]: { _index, _id, status, ...error } });
    }
    return { took: 0, errors, items };
  }

  #apply(action: Action, { _index, _id, version }: Target, source: string | null): number {
    const documents = this.#indices.get(_index) ?? new Map<string, Stored>();
    this.#indices.set(_index, documents);
    const before = documents.get(_id);
    if (before !== undefined && (action === 'create' || (version !== undefined && version <= before.version)))
      return 409;
    if (source === null) return documents.delete(_id) ? 200 : 404;
    documents.set(_id, { source, version: version ?? (before?.version ?? 0) + 1 });
    return before === undefined ? 201 : 200;
  }
}
