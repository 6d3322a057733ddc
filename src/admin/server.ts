import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { describeError, type Clock, type ListenAddress, type Logger } from '../api/index.ts';
import type { HubStatus } from '../supervisor/index.ts';
import type { MetricsRegistry } from '../telemetry/index.ts';
import { bind } from '../toolkit/index.ts';
import { Guard } from './guard.ts';
import { HubMetrics } from './hub-metrics.ts';
import { answerHealth, answerIndex, answerMetrics, answerReady, answerStatus, type Answer } from './pages.ts';

export interface AdminOptions {
  readonly address: ListenAddress;
  /** What clients have to bring; null on loopback. */
  readonly token: string | null;
  readonly version: string;
  readonly status: () => HubStatus;
  readonly metrics: MetricsRegistry;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface AdminServer {
  /** With the port that it got. */
  readonly address: ListenAddress;
  /** Answers what it has begun, then ends. */
  close(): Promise<void>;
}

const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 2000,
  maxHeaderSize: 16 * 1024,
};
const MAX_CONNECTIONS = 64;

/** Serves `/health`, `/ready`, `/status` and `/metrics`; changes nothing. Rejects with `LISTENER_IN_USE` or `OPTION_INVALID`. */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const guard = new Guard(options.token, options.clock);
  const metrics = new HubMetrics(options.metrics, options.version);
  const server = createServer(LIMITS, (request, response) => {
    answerTo(request, options, guard, metrics).then(
      (answer) => {
        send(request, response, answer);
      },
      (error: unknown) => {
        options.log.error({ path: request.url, cause: describeError(error) }, 'answering on the API did not work');
        send(request, response, { status: 500, text: 'something went wrong here; the log has it\n' });
      },
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  const address = await bind(server, options.address);
  return { address, close: () => close(server) };
}

async function answerTo(
  request: IncomingMessage,
  { status, version }: AdminOptions,
  guard: Guard,
  metrics: HubMetrics,
): Promise<Answer> {
  const denial = guard.check(request);
  if (denial !== null) return { ...denial, text: `${denial.message}\n` };
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, text: 'this API is for reading\n', headers: { Allow: 'GET, HEAD' } };
  const [path] = (request.url ?? '').split('?');
  switch (path) {
    case '/':
      return answerIndex();
    case '/health':
      return answerHealth(status(), version);
    case '/ready':
      return answerReady(status());
    case '/status':
      return answerStatus(status(), version);
    case '/metrics':
      return answerMetrics(await metrics.text(status()));
    default:
      return { ...answerIndex(), status: 404 };
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, text, headers }: Answer): void {
  const body = Buffer.from(text);
  // Whatever body came is not read: the connection cannot be used again.
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(hasBody ? { Connection: 'close' } : {}),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeIdleConnections();
    // A client that keeps its connection open for its next question must not hold up the end.
    setImmediate(() => {
      server.closeAllConnections();
    });
  });
}
