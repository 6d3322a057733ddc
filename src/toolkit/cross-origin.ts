import type { IncomingHttpHeaders } from 'node:http';
import { duration, Type, type Static } from '../api/index.ts';
import { headerName } from './header-name.ts';
import type { HttpAnswer } from './http-exchange.ts';
import { Refusal } from './refusal.ts';

export const corsOptions = Type.Object(
  {
    origins: Type.Array(Type.String({ pattern: '^(\\*|null|[a-z][a-z0-9+.-]*://[^/\\s]+)$', maxLength: 256 }), {
      minItems: 1,
      maxItems: 1000,
      examples: [['https://app.example.com']],
      description: 'Where pages come from that may post, as browsers write it; `*` for all.',
    }),
    headers: Type.Array(Type.String({ pattern: headerName, maxLength: 256 }), {
      default: ['Authorization', 'Content-Type', 'Content-Encoding', 'Idempotency-Key'],
      maxItems: 100,
      description: 'Request headers that they may set.',
    }),
    max_age: duration({
      default: '10m',
      minimum: '0s',
      maximum: '1d',
      description: 'How long a browser need not ask again.',
    }),
  },
  {
    additionalProperties: false,
    description:
      'Let pages in browsers post (CORS). Without it what comes from a page, with an `Origin` header, gets 403: a page anywhere could otherwise post to a listener that its reader reaches.',
  },
);

export type CorsOptions = Static<typeof corsOptions>;

/** What a page may read of an answer beside its body. */
const EXPOSED_HEADERS = 'Retry-After';

/** Requests of pages in browsers, which say where the page is from (Fetch standard, "CORS protocol"). */
export class CrossOrigin {
  readonly #origins: ReadonlySet<string>;
  readonly #allowed: Readonly<Record<string, string>>;

  /** `options`: unset where pages may not post. */
  constructor(options: CorsOptions | undefined, methods: readonly string[]) {
    this.#origins = new Set(options?.origins);
    this.#allowed = {
      'Access-Control-Allow-Methods': methods.join(', '),
      'Access-Control-Allow-Headers': options?.headers.join(', ') ?? '',
      'Access-Control-Max-Age': String(Math.round((options?.max_age ?? 0) / 1000)),
    };
  }

  /** What the answer needs for the page to read it; nothing for who is no page. Throws 403. */
  admit({ origin }: IncomingHttpHeaders): Readonly<Record<string, string>> {
    if (origin === undefined) return {};
    if (!this.#origins.has(origin) && !this.#origins.has('*'))
      throw new Refusal(403, 'pages of this origin may not post here; the option `cors` names those that may', {
        turnedAway: 'origin',
      });
    return {
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Expose-Headers': EXPOSED_HEADERS,
      Vary: 'Origin',
    };
  }

  /** A browser asks before it posts; it sends no credentials with that. Throws 403. */
  preflight(headers: IncomingHttpHeaders): HttpAnswer {
    return { status: 204, headers: { ...this.admit(headers), ...this.#allowed } };
  }
}

export function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && 'access-control-request-method' in headers;
}
