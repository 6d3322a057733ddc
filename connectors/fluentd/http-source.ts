import type { Source, SourceContext } from 'sluice/api';
import { serveHttp } from 'sluice/toolkit';
import { HttpHandler } from './http-handler.ts';
import type { SourceOptions } from './options.ts';

/** How long records may take to be durable before a client is told to send them again. */
const ANSWER_TIMEOUT_MS = 30_000;

/** Serves what clients post in the way of fluentd's `in_http` until it is asked to end. */
export class FluentdHttpSource implements Source {
  readonly #options: SourceOptions;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  run(context: SourceContext): Promise<void> {
    const { handshake_timeout, message_timeout } = this.#options;
    const timeouts = {
      headers_timeout: handshake_timeout,
      request_timeout: message_timeout,
      answer_timeout: ANSWER_TIMEOUT_MS,
    };
    return serveHttp(context, { ...this.#options, ...timeouts }, new HttpHandler(this.#options, context));
  }
}
