import type { Source, SourceContext } from 'sluice/api';
import { serveHttp } from 'sluice/toolkit';
import type { SourceOptions } from './options.ts';
import { RequestHandler } from './request-handler.ts';

/** Serves requests until it is asked to end; those that were begun by then are answered. */
export class HttpSource implements Source {
  readonly #options: SourceOptions;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  run(context: SourceContext): Promise<void> {
    return serveHttp(context, this.#options, new RequestHandler(this.#options, context));
  }
}
