import type { Source, SourceContext } from 'sluice/api';
import { formatAddress, listenHttp, type HttpListener } from 'sluice/toolkit';
import type { SourceOptions } from './options.ts';
import { RequestHandler } from './request-handler.ts';

/** What requests that were begun get to end when the source does. */
const CLOSE_GRACE_MS = 10_000;

/** Serves requests until it is asked to end; those that were begun by then are answered. */
export class HttpSource implements Source {
  readonly #options: SourceOptions;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  async run(context: SourceContext): Promise<void> {
    const { signal } = context;
    if (signal.aborted) return;
    const listener = await this.#listen(context);
    try {
      const { host, port } = listener.address;
      context.report(`listening ${host === '127.0.0.1' ? `:${port}` : formatAddress(listener.address)}`);
      await whenAborted(signal);
    } finally {
      await listener.close(CLOSE_GRACE_MS);
    }
  }

  #listen(context: SourceContext): Promise<HttpListener> {
    const { listen, tls } = this.#options;
    const handler = new RequestHandler(this.#options, context);
    return listenHttp({
      address: listen,
      ...(tls === undefined ? {} : { tls }),
      limits: {
        maxConnections: this.#options.max_connections,
        maxConnectionsPerAddress: this.#options.max_connections_per_address,
        headersTimeoutMs: this.#options.headers_timeout,
        requestTimeoutMs: this.#options.request_timeout,
        keepAliveMs: this.#options.keep_alive,
        answerTimeoutMs: this.#options.answer_timeout,
      },
      handle: (exchange) => handler.handle(exchange),
      clock: context.clock,
      log: context.log,
      metrics: context.metrics,
      heldBytes: () => handler.heldBytes,
    });
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
