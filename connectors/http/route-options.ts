import { size, Type } from 'sluice/api';
import { authOptions, corsOptions, headerName, networkList, signatureOptions } from 'sluice/toolkit';

export const ROUTE_PATH = '^/[^?#\\s]*$';

/** Each is built twice: with its default for all routes of a source, and without one for a route, which then has what the source says. */
export const routeWords = {
  format: (more: object = {}) =>
    Type.Union(
      [
        Type.Literal('auto'),
        Type.Literal('json'),
        Type.Literal('ndjson'),
        Type.Literal('text'),
        Type.Literal('cloudevents'),
        Type.Literal('otlp_logs'),
        Type.Literal('elasticsearch_bulk'),
      ],
      {
        ...more,
        description:
          'What clients send. `json`: a value, or an array whose elements are the records. `ndjson`: a JSON value a line. `text`: a record a line. `auto` goes by the Content-Type, and where that says nothing by the body. `cloudevents`: CloudEvents 1.0 in all modes. `otlp_logs`: logs of OpenTelemetry exporters. `elasticsearch_bulk`: what Elasticsearch takes, at the paths below `path`.',
      },
    ),
  headers: (more: object = {}) =>
    Type.Array(Type.String({ pattern: headerName, maxLength: 256 }), {
      ...more,
      maxItems: 32,
      uniqueItems: true,
      examples: [['X-Tenant', 'User-Agent']],
      description: 'Request headers to keep as headers of each record, named in lower case.',
    }),
  max_body: (more: { default?: string } = {}) =>
    size({
      ...more,
      minimum: '1KiB',
      maximum: '512MiB',
      description: 'How large a body may be as it is sent; larger ones get 413.',
    }),
  max_inflated_body: (more: { default?: string } = {}) =>
    size({
      ...more,
      minimum: '1KiB',
      maximum: '512MiB',
      description:
        'How large a compressed body may become; beyond 1 MiB no more than 100 times what was sent. Others get 413.',
    }),
  max_records: (more: object = {}) =>
    Type.Integer({
      ...more,
      minimum: 1,
      maximum: 10_000_000,
      description: 'How many records a request may hold; others get 413.',
    }),
};

/** Who may post. */
export const gateWords = {
  auth: Type.Optional(authOptions),
  signature: Type.Optional(signatureOptions),
  allow: Type.Optional(
    networkList({
      minItems: 1,
      examples: [['10.0.0.0/8', '2001:db8::/32']],
      description: 'Serve only clients with an address in one of these networks; others get 403.',
    }),
  ),
  cors: Type.Optional(corsOptions),
};

export const routeOptions = Type.Object(
  {
    path: Type.String({
      pattern: ROUTE_PATH,
      maxLength: 1024,
      examples: ['/github', '/hooks/*'],
      description: 'The path to post to. With `/*` at its end all paths below it; the longest path that fits is taken.',
    }),
    format: Type.Optional(routeWords.format()),
    headers: Type.Optional(routeWords.headers()),
    ...gateWords,
    max_body: Type.Optional(routeWords.max_body()),
    max_inflated_body: Type.Optional(routeWords.max_inflated_body()),
    max_records: Type.Optional(routeWords.max_records()),
  },
  { additionalProperties: false },
);
