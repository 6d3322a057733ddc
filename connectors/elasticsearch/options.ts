import { duration, expression, path, secret, size, template, Type, type Static } from 'sluice/api';
import { clientAuthOptions, clientHeadersOption, clientProxyOptions, pinnedTlsOptions } from 'sluice/toolkit';

const closed = { additionalProperties: false };

const updateOptions = Type.Object(
  {
    upsert: Type.Boolean({
      default: true,
      description: 'Makes the document when it is not there. Otherwise the record is refused.',
    }),
    script: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 16_384,
        examples: ['ctx._source.total += params.record.amount'],
        description:
          'Changes the document by this Painless script, which finds the value of the record as `params.record`, instead of merging the value into it. A record that is sent again is counted again.',
      }),
    ),
    script_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 512,
        description: 'As `script`, of the scripts that the cluster has stored.',
      }),
    ),
    retry_on_conflict: Type.Integer({
      default: 3,
      minimum: 0,
      maximum: 100,
      description: 'How often the cluster tries again when somebody else changes the document meanwhile.',
    }),
  },
  { ...closed, default: {}, description: 'For `mode: update`.' },
);

const files = (what: string) =>
  Type.Record(Type.String({ pattern: '^[^\\s/*?"<>|,#]{1,255}$' }), path({ description: 'A JSON file.' }), {
    ...closed,
    default: {},
    description: `${what}, by name: the file with each.`,
  });

const bootstrapOptions = Type.Object(
  {
    lifecycle_policies: files('Policies of index lifecycle management (ILM; ISM of OpenSearch)'),
    ingest_pipelines: files('Ingest pipelines'),
    component_templates: files('Component templates'),
    index_templates: files('Index templates'),
    replace: Type.Boolean({
      default: false,
      description: 'Replaces what is there already at each start. Otherwise it stays.',
    }),
  },
  {
    ...closed,
    default: {},
    description:
      'What is made in the cluster before the first document, out of files with the bodies that its API takes.',
  },
);
export type BootstrapOptions = Static<typeof bootstrapOptions>;

const endpoints = Type.Array(Type.String({ pattern: '^https?://[^/?#\\s]+(/[^?#\\s]*)?$' }), {
  minItems: 1,
  maxItems: 64,
  uniqueItems: true,
  examples: [['https://node-1:9200', 'https://node-2:9200']],
  description: 'Addresses of nodes of one cluster. They take turns; one that does not answer is left out for a while.',
});

/** What Elasticsearch and OpenSearch have in common. */
const common = {
  index: template({
    confined: 'name',
    description:
      'Index, alias or data stream to write to. A template chooses by what is in the records; it starts with a literal prefix, so that records cannot choose any index.',
    examples: ['orders', "access-{{ formatTime(timestamp, 'yyyy.MM.dd') }}"],
  }),
  mode: Type.Union([Type.Literal('log'), Type.Literal('keyed'), Type.Literal('update')], {
    default: 'log',
    description:
      '`log` creates a document per record, under the id of the record. `keyed` keeps the newest record of each key, under the key; a record without a value deletes the document. `update` merges the value into the document of the key, in the order of the partition.',
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
  update: updateOptions,
  data_stream: Type.Boolean({
    default: false,
    description:
      '`index` is a data stream: documents without a `@timestamp` of their own get the time of their record. Only for `mode: log`.',
  }),
  pipeline: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Ingest pipeline of the cluster that documents go through.',
    }),
  ),
  routing: Type.Optional(
    expression({
      description: 'Chooses the shard: a text or a number. All records of a document have to give the same one.',
    }),
  ),
  require_alias: Type.Boolean({
    default: false,
    description: 'Writes only when `index` is an alias, instead of making an index of this name.',
  }),
  refresh: Type.Union([Type.Literal('none'), Type.Literal('wait'), Type.Literal('now')], {
    default: 'none',
    description:
      '`wait`: a request is answered once its documents are found by searches, which takes up to the refresh interval of the index. `now`: refreshes after each request, at a price.',
  }),
  tls: Type.Optional(pinnedTlsOptions),
  proxy: Type.Optional(clientProxyOptions),
  headers: clientHeadersOption,
  bootstrap: bootstrapOptions,
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
};

const apiKey = Type.Optional(secret({ description: 'An API key, encoded as Elasticsearch shows it.' }));
const oneOfThem = { ...closed, description: 'Credentials: one of them.' };

export const sinkOptions = Type.Object(
  {
    endpoints: Type.Optional(endpoints),
    cloud_id: Type.Optional(
      Type.String({ minLength: 1, description: 'Of a deployment of Elastic Cloud, instead of `endpoints`.' }),
    ),
    ...common,
    auth: Type.Optional(Type.Object({ ...clientAuthOptions.properties, api_key: apiKey }, oneOfThem)),
  },
  closed,
);

export const openSearchOptions = Type.Object(
  { endpoints, ...common, auth: Type.Optional(Type.Object(clientAuthOptions.properties, oneOfThem)) },
  closed,
);

export type SinkOptions = Static<typeof sinkOptions>;
