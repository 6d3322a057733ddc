import type { SourceContext } from 'sluice/api';
import {
  ByteBudget,
  clientAddress,
  isPreflight,
  Networks,
  Refusal,
  type HttpAnswer,
  type HttpExchange,
} from 'sluice/toolkit';
import { routesOf, type SourceOptions } from './options.ts';
import { Route } from './route.ts';
import { RouteTable, splitTarget, type FoundRoute } from './route-table.ts';

const HEALTH_PATH = '/health';
const HEALTH_METHODS = ['GET', 'HEAD'];

/** Finds out who sent a request and what it is for. */
export class RequestHandler {
  readonly #source: SourceContext;
  readonly #routes: RouteTable<Route>;
  /** Said to those who missed it; with several routes it is nobody's business which there are. */
  readonly #onlyPath: string | null;
  readonly #budget: ByteBudget;
  readonly #proxies: Networks;
  readonly #forwardedBy: string;

  constructor(options: SourceOptions, source: SourceContext) {
    this.#source = source;
    this.#budget = new ByteBudget(options.max_in_flight);
    const routes = routesOf(options);
    this.#routes = new RouteTable(routes.map((route) => new Route(route, { source, budget: this.#budget })));
    this.#onlyPath = routes.length === 1 ? routes[0]!.path : null;
    this.#proxies = new Networks(options.trusted_proxies);
    this.#forwardedBy = options.forwarded_header.toLowerCase();
  }

  /** Of bodies that are not in the topic yet. */
  get heldBytes(): number {
    return this.#budget.usedBytes;
  }

  async handle(exchange: HttpExchange): Promise<HttpAnswer> {
    const { method = '', url = '', headers } = exchange.request;
    const { path, query } = splitTarget(url);
    const found = this.#routes.find(path);
    if (found !== null && isPreflight(method, headers)) return found.route.preflight(headers);
    const answers = found?.route.methods.includes(method) === true;
    // Load balancers have no credentials, and learn nothing but this.
    if (path === HEALTH_PATH && HEALTH_METHODS.includes(method) && !(answers && found.subpath === ''))
      return this.#health();
    if (!answers) throw this.#refusal(method, path, found);
    const { route, subpath } = found;
    const address = clientAddress(exchange.connection.address, headers[this.#forwardedBy], this.#proxies);
    return route.handle(exchange, { method, path, subpath, query, headers, clientAddress: address });
  }

  #refusal(method: string, path: string, found: FoundRoute<Route> | null): Refusal {
    const allowed = [...(found?.route.methods ?? []), ...(path === HEALTH_PATH ? HEALTH_METHODS : [])].join(', ');
    if (allowed !== '')
      return new Refusal(405, `${method} does nothing here; use ${allowed}`, { headers: { Allow: allowed } });
    const remedy = this.#onlyPath === null ? '' : `; post records to ${this.#onlyPath}`;
    return new Refusal(404, `there is nothing at this path${remedy}`);
  }

  #health(): HttpAnswer {
    const batch = this.#source.tryBatch();
    if (batch === null) throw new Refusal(503, 'no input is taken just now', { retryAfterSeconds: 1 });
    batch.release();
    return { status: 200, body: { status: 'listening' } };
  }
}
