import { SluiceError, type Clock } from '../api/index.ts';
import { EndpointRing } from './endpoint-ring.ts';
import type { HttpClientAnswer, HttpClient, HttpClients, HttpClientRequest } from './http-client.ts';

/** These come from a server, or a proxy before it, that cannot serve now; others may. */
const IS_AWAY = new Set([502, 503, 504]);

export interface EndpointAnswer extends HttpClientAnswer {
  /** `POST http://host:8983/solr/orders/update`, for messages. */
  readonly doing: string;
}

/** Servers that can stand in for each other, in turns; those that fail are left alone for a while. */
export class HttpEndpoints {
  readonly clients: readonly HttpClient[];
  readonly #ring: EndpointRing<HttpClient>;

  constructor(endpoints: readonly string[], clients: HttpClients, clock: Pick<Clock, 'monotonic'>) {
    this.clients = endpoints.map((endpoint) => clients.client(endpoint));
    this.#ring = new EndpointRing(this.clients, clock);
  }

  /**
   * One attempt at each endpoint, until one answers: only for what may be done twice. Throws what the last one failed with, or what an operator has to
   * know of.
   */
  async send(request: HttpClientRequest, signal: AbortSignal): Promise<EndpointAnswer> {
    const tried = new Set<HttpClient>();
    let failure: unknown;
    for (let client = this.#ring.next(); client !== null; client = this.#ring.next(tried)) {
      tried.add(client);
      try {
        const answer = await client.send(request, signal);
        if (IS_AWAY.has(answer.status)) this.#ring.failed(client);
        else this.#ring.answered(client);
        return { ...answer, doing: client.describe(request.method, request.path) };
      } catch (error) {
        this.#ring.failed(client);
        if (!needsOperator(failure)) failure = error;
        if (signal.aborted) break;
      }
    }
    throw failure;
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
  }
}

function needsOperator(error: unknown): boolean {
  return error instanceof SluiceError && !error.retryable;
}
