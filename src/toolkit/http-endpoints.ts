import { SluiceError, type Clock } from '../api/index.ts';
import { EndpointRing } from './endpoint-ring.ts';
import type { HttpClientAnswer, HttpClientRequest } from './http-client.ts';

/** These come from a server, or a proxy before it, that cannot serve now; others may. */
const IS_AWAY = new Set([502, 503, 504]);

/** One server, as `HttpClient` is one. */
export interface Endpoint<Request, Answer> {
  /** For messages. */
  readonly endpoint: string;
  send(request: Request, signal: AbortSignal): Promise<Answer>;
  describe(method: string, path: string): string;
  close(): Promise<void>;
}

interface Doing {
  /** `POST http://host:8983/solr/orders/update`, for messages. */
  readonly doing: string;
}

export type EndpointAnswer = HttpClientAnswer & Doing;

type Addressed = Pick<HttpClientRequest, 'method' | 'path'>;
type Answered = Pick<HttpClientAnswer, 'status'>;

/** Servers that can stand in for each other, in turns; those that fail are left alone for a while. */
export class HttpEndpoints<Request extends Addressed = HttpClientRequest, Answer extends Answered = HttpClientAnswer> {
  readonly clients: readonly Endpoint<Request, Answer>[];
  readonly #ring: EndpointRing<Endpoint<Request, Answer>>;

  constructor(clients: readonly Endpoint<Request, Answer>[], clock: Pick<Clock, 'monotonic'>) {
    this.clients = clients;
    this.#ring = new EndpointRing(clients, clock);
  }

  /**
   * One attempt at each endpoint, until one answers: only for what may be done twice. Throws what the last one failed with, or what an operator has to
   * know of.
   */
  async send(request: Request, signal: AbortSignal): Promise<Answer & Doing> {
    const tried = new Set<Endpoint<Request, Answer>>();
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
