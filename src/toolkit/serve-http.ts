import { once } from 'node:events';
import type { ListenAddress, SourceContext } from '../api/index.ts';
import type { HttpAnswer, HttpExchange } from './http-exchange.ts';
import { listenHttp } from './http-listener.ts';
import { formatAddress } from './listen.ts';
import type { TlsOptions } from './tls.ts';

/** As sources name them. */
export interface HttpSourceOptions {
  readonly listen: ListenAddress;
  readonly tls?: TlsOptions;
  readonly max_connections: number;
  readonly max_connections_per_address: number;
  readonly headers_timeout: number;
  readonly request_timeout: number;
  readonly keep_alive: number;
  readonly answer_timeout: number;
}

/** Answers requests. */
export interface HttpHandler {
  handle(exchange: HttpExchange): Promise<HttpAnswer>;
  /** Of bodies that are not in the topic yet. */
  readonly heldBytes: number;
}

/** What requests that were begun get to end when the source does. */
const CLOSE_GRACE_MS = 10_000;

/** Serves requests until the source is asked to end; those that were begun by then are answered. */
export async function serveHttp(
  context: SourceContext,
  options: HttpSourceOptions,
  handler: HttpHandler,
): Promise<void> {
  const { signal, clock, log, metrics } = context;
  if (signal.aborted) return;
  const listener = await listenHttp({
    address: options.listen,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    limits: {
      maxConnections: options.max_connections,
      maxConnectionsPerAddress: options.max_connections_per_address,
      headersTimeoutMs: options.headers_timeout,
      requestTimeoutMs: options.request_timeout,
      keepAliveMs: options.keep_alive,
      answerTimeoutMs: options.answer_timeout,
    },
    handle: (exchange) => handler.handle(exchange),
    clock,
    log,
    metrics,
    heldBytes: () => handler.heldBytes,
  });
  try {
    const { host, port } = listener.address;
    context.report(`listening ${host === '127.0.0.1' ? `:${port}` : formatAddress(listener.address)}`);
    if (!isAborted(signal)) await once(signal, 'abort');
  } finally {
    await listener.close(CLOSE_GRACE_MS);
  }
}

/** It may have been while something was awaited, which the compiler does not see. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
