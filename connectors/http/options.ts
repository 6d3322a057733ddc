import { duration, listenAddress, size, Type, type Static } from 'sluice/api';
import { authOptions, tlsOptions } from 'sluice/toolkit';

export const sourceOptions = Type.Object(
  {
    listen: listenAddress({
      default: '127.0.0.1:8080',
      description:
        'Address and port. `:8080` is this machine only; `0.0.0.0:8080` is everybody who reaches it, for whom you want `tls` and `auth`.',
    }),
    path: Type.String({
      default: '/',
      pattern: '^/[^?#\\s]*$',
      description: 'The path to post to; a query behind it is ignored. All other paths get 404.',
    }),
    format: Type.Union([Type.Literal('auto'), Type.Literal('json'), Type.Literal('ndjson'), Type.Literal('text')], {
      default: 'auto',
      description:
        'What bodies hold. `json`: a value, or an array whose elements are the records. `ndjson`: a JSON value a line. `text`: a record a line. `auto` goes by the Content-Type, and where that says nothing by the body.',
    }),
    headers: Type.Array(Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", maxLength: 256 }), {
      default: [],
      maxItems: 32,
      uniqueItems: true,
      examples: [['X-Tenant', 'User-Agent']],
      description: 'Request headers to keep as headers of each record, named in lower case.',
    }),
    auth: Type.Optional(authOptions),
    tls: Type.Optional(tlsOptions),
    max_body: size({
      default: '16MiB',
      minimum: '1KiB',
      maximum: '512MiB',
      description: 'How large a body may be as it is sent; larger ones get 413.',
    }),
    max_inflated_body: size({
      default: '64MiB',
      minimum: '1KiB',
      maximum: '512MiB',
      description:
        'How large a compressed body may become; beyond 1 MiB no more than 100 times what was sent. Others get 413.',
    }),
    max_records: Type.Integer({
      default: 100_000,
      minimum: 1,
      maximum: 10_000_000,
      description: 'How many records a request may hold; others get 413.',
    }),
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
