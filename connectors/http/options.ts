import { duration, listenAddress, size, Type, type Static } from 'sluice/api';
import { networkList, tlsOptions, type AuthOptions, type CorsOptions, type SignatureOptions } from 'sluice/toolkit';
import { cloudEventsOptions, elasticsearchOptions } from './formats/options.ts';
import { gateWords, ROUTE_PATH, routeOptions, routeWords } from './route-options.ts';

function recordHeader(what: string) {
  return Type.String({
    default: '',
    maxLength: 256,
    description: `The record header that holds the ${what}; none when it is empty.`,
  });
}

export const sourceOptions = Type.Object(
  {
    listen: listenAddress({
      default: '127.0.0.1:8080',
      description:
        'Address and port. `:8080` is this machine only; `0.0.0.0:8080` is everybody who reaches it, for whom you want `tls` and `auth`.',
    }),
    path: Type.Optional(
      Type.String({
        pattern: ROUTE_PATH,
        maxLength: 1024,
        description:
          'The path to post to, `/` by default; with `/*` at its end all paths below it. A query is ignored. All other paths get 404.',
      }),
    ),
    routes: Type.Optional(
      Type.Array(routeOptions, {
        minItems: 1,
        maxItems: 1000,
        description:
          'Several paths instead of `path`. What a route does not say is as the source says it; a route with `auth` or `signature` has neither of the source.',
      }),
    ),
    format: routeWords.format({ default: 'auto' }),
    cloudevents: cloudEventsOptions,
    elasticsearch: elasticsearchOptions,
    headers: routeWords.headers({ default: [] }),
    path_header: recordHeader('path that was posted to'),
    client_header: recordHeader('address of the client'),
    ...gateWords,
    trusted_proxies: networkList({
      default: [],
      examples: [['10.0.0.5', '10.1.0.0/16']],
      description:
        'Proxies that tell the true address of a client; of what they append to `forwarded_header`, the last address that is not a proxy of this list counts.',
    }),
    forwarded_header: Type.Union([Type.Literal('X-Forwarded-For'), Type.Literal('Forwarded')], {
      default: 'X-Forwarded-For',
      description: 'Where `trusted_proxies` tell it. What clients send in the other one is never looked at.',
    }),
    tls: Type.Optional(tlsOptions),
    max_body: routeWords.max_body({ default: '16MiB' }),
    max_inflated_body: routeWords.max_inflated_body({ default: '64MiB' }),
    max_records: routeWords.max_records({ default: 100_000 }),
    max_in_flight: size({
      default: '128MiB',
      minimum: '1MiB',
      maximum: '4GiB',
      description:
        'Memory for bodies that are on their way into the topic; when it is spent, requests get 429. Not less than `max_body` and `max_inflated_body` together.',
    }),
    max_connections: Type.Integer({
      default: 1024,
      minimum: 1,
      maximum: 65_536,
      description: 'Beyond it the connection that has kept us waiting longest makes room for a new one.',
    }),
    max_connections_per_address: Type.Integer({
      default: 64,
      minimum: 1,
      maximum: 65_536,
      description: 'As `max_connections`, for each client address; clients on this machine are not counted.',
    }),
    headers_timeout: duration({
      default: '10s',
      minimum: '100ms',
      maximum: '10m',
      description: 'How long a client may take for its TLS handshake, and for the headers of a request.',
    }),
    request_timeout: duration({
      default: '60s',
      minimum: '100ms',
      maximum: '1h',
      description:
        'How long a client may take for a whole request; then it gets 408. Bodies slower than 512 bytes a second get it after 10 s.',
    }),
    keep_alive: duration({
      default: '5s',
      minimum: '100ms',
      maximum: '1h',
      description: 'How long a connection without a request is kept.',
    }),
    answer_timeout: duration({
      default: '30s',
      minimum: '100ms',
      maximum: '10m',
      description: 'How long records may take to be durable in the topic; then the client gets 503.',
    }),
  },
  { additionalProperties: false },
);

export type SourceOptions = Static<typeof sourceOptions>;

/** One route with all that holds for it. */
export interface RouteOptions {
  readonly path: string;
  readonly format: SourceOptions['format'];
  readonly cloudevents: SourceOptions['cloudevents'];
  readonly elasticsearch: SourceOptions['elasticsearch'];
  readonly headers: readonly string[];
  readonly path_header: string;
  readonly client_header: string;
  readonly auth?: AuthOptions;
  readonly signature?: SignatureOptions;
  readonly allow?: readonly string[];
  readonly cors?: CorsOptions;
  readonly max_body: number;
  readonly max_inflated_body: number;
  readonly max_records: number;
}

/** The routes of a source; the short form has one. */
export function routesOf({ path = '/', routes, auth, signature, ...ofAll }: SourceOptions): readonly RouteOptions[] {
  const credentials = { ...(auth === undefined ? {} : { auth }), ...(signature === undefined ? {} : { signature }) };
  if (routes === undefined) return [{ ...ofAll, ...credentials, path }];
  return routes.map((route) => {
    const hasOwn = route.auth !== undefined || route.signature !== undefined;
    return { ...ofAll, ...(hasOwn ? {} : credentials), ...route };
  });
}
