import { duration, expression, secret, size, template, Type, type Static } from 'sluice/api';
import { clientBasicOptions, clientHeadersOption, clientTlsOptions } from 'sluice/toolkit';

const closed = { additionalProperties: false };

export const sinkOptions = Type.Object(
  {
    endpoints: Type.Array(Type.String({ pattern: '^https?://[^/?#\\s]+(/[^?#\\s]*)?$' }), {
      minItems: 1,
      maxItems: 64,
      uniqueItems: true,
      examples: [['https://es-1:9200', 'https://es-2:9200']],
      description:
        'Addresses of nodes of one cluster. They take turns; one that does not answer is left out for a while.',
    }),
    index: template({
      confined: 'name',
      description:
        'Index, alias or data stream to write to. A template chooses by what is in the records; it starts with a literal prefix, so that records cannot choose any index.',
      examples: ['orders', "access-{{ formatTime(timestamp, 'yyyy.MM.dd') }}"],
    }),
    mode: Type.Union([Type.Literal('log'), Type.Literal('keyed')], {
      default: 'log',
      description:
        '`log` creates a document per record, under the id of the record. `keyed` keeps the newest record of each key, under the key; a record without a value deletes the document.',
    }),
    version: Type.Union(
      [
        Type.Literal('offset'),
        Type.Literal('timestamp'),
        expression({ description: 'Gives a whole number from 0 on, or a time.' }),
      ],
      {
        default: 'offset',
        examples: ['timestamp', 'value.revision'],
        description:
          'For `keyed`: which of two records of a key is the newer one. `offset` holds as long as the topic is not recreated and keeps its number of partitions; then the sink stops. `timestamp` and expressions hold beyond; of records with the same version the last one wins.',
      },
    ),
    data_stream: Type.Boolean({
      default: false,
      description:
        '`index` is a data stream: documents without a `@timestamp` of their own get the time of their record. Only for `mode: log`.',
    }),
    pipeline: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'Ingest pipeline of Elasticsearch that documents go through.',
      }),
    ),
    auth: Type.Optional(
      Type.Object(
        {
          basic: Type.Optional(clientBasicOptions),
          api_key: Type.Optional(secret({ description: 'An API key, encoded as Elasticsearch shows it.' })),
        },
        { ...closed, description: 'Credentials: `basic` or `api_key`.' },
      ),
    ),
    tls: Type.Optional(clientTlsOptions),
    headers: clientHeadersOption,
    gzip: Type.Boolean({ default: false, description: 'Compress requests: less network, more processor.' }),
    request_timeout: duration({
      default: '30s',
      minimum: '1s',
      maximum: '10m',
      description: 'How long a request may take; then it is sent again, which the ids make harmless.',
    }),
    max_request: size({
      default: '10MiB',
      minimum: '64KiB',
      maximum: '100MiB',
      description:
        'How large the body of a request may be before it is compressed; larger batches are split. Keep it below `http.max_content_length` of the nodes.',
    }),
  },
  closed,
);

export type SinkOptions = Static<typeof sinkOptions>;
