import { duration, expression, size, template, Type, type Static } from 'sluice/api';
import { clientAuthOptions, clientHeadersOption, clientProxyOptions, pinnedTlsOptions } from 'sluice/toolkit';

const closed = { additionalProperties: false };
const fieldName = '^[A-Za-z_][A-Za-z0-9_.-]{0,254}$';

const schemaField = Type.Object(
  {
    type: Type.String({
      pattern: fieldName,
      description: 'Field type of the schema: `string`, `plong`, `text_general` …',
    }),
    multi_valued: Type.Optional(Type.Boolean({ description: 'Takes several values.' })),
    indexed: Type.Optional(Type.Boolean({ description: 'Can be searched.' })),
    stored: Type.Optional(Type.Boolean({ description: 'Can be read back.' })),
    doc_values: Type.Optional(Type.Boolean({ description: 'Can be sorted and counted by.' })),
  },
  { ...closed, description: 'A field.' },
);

export const sinkOptions = Type.Object(
  {
    endpoints: Type.Array(Type.String({ pattern: '^https?://[^/?#\\s]+(/[^?#\\s]*)?$' }), {
      minItems: 1,
      maxItems: 64,
      uniqueItems: true,
      examples: [['http://solr-1:8983/solr', 'http://solr-2:8983/solr']],
      description:
        'Addresses of nodes, with their context path. Of a cloud any of its nodes: the others are known from them, without ZooKeeper.',
    }),
    collection: Type.Optional(
      template({
        confined: 'name',
        description:
          'Collection or alias of a SolrCloud. A template chooses by what is in the records; it starts with a literal prefix, so that records cannot choose any collection.',
        examples: ['orders', "access-{{ formatTime(timestamp, 'yyyy.MM') }}"],
      }),
    ),
    core: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$',
        maxLength: 255,
        description: 'Core of servers that are no cloud, instead of `collection`.',
      }),
    ),
    mode: Type.Union([Type.Literal('log'), Type.Literal('keyed'), Type.Literal('update')], {
      default: 'log',
      description:
        '`log` adds a document per record, under the id of the record. `keyed` keeps the newest record of each key, under the key; a record without a value deletes the document. `update` changes only the fields that a record has, of the document under its key (atomic updates).',
    }),
    id_field: Type.String({
      pattern: fieldName,
      default: 'id',
      description: 'The unique key of the schema. A document may have it only with the value that its id has anyway.',
    }),
    fields: Type.Record(
      Type.String({ minLength: 1 }),
      Type.Union([Type.String({ pattern: fieldName }), Type.Literal(false)]),
      {
        ...closed,
        default: {},
        examples: [{ id: 'order_id', created: 'created_dt', internal: false }],
        description: 'Members of values that become fields of another name; `false` leaves one out.',
      },
    ),
    nested: Type.Union(
      [Type.Literal('refuse'), Type.Literal('children'), Type.Literal('flatten'), Type.Literal('json')],
      {
        default: 'refuse',
        description:
          'What becomes of objects in a value. `children`: documents nested in this one, which the schema has to allow (`_nest_path_`); those without an id get one of that of the document and their place. `flatten`: fields with dots (`customer.name`). `json`: their text. `refuse`: the record goes to the dead letters.',
      },
    ),
    operators: Type.Array(
      Type.Union(['set', 'add', 'add-distinct', 'remove', 'removeregex', 'inc'].map((name) => Type.Literal(name))),
      {
        uniqueItems: true,
        default: [],
        examples: [['add-distinct', 'remove']],
        description:
          'For `mode: update`: operators that a record may give itself, as `{"tags": {"add-distinct": "new"}}`. What is `add` or `inc` may be done twice.',
      },
    ),
    version: Type.Union(
      [
        Type.Literal('none'),
        Type.Literal('offset'),
        Type.Literal('timestamp'),
        expression({ description: 'Gives a whole number from 0 on, or a time.' }),
      ],
      {
        default: 'none',
        examples: ['offset', 'timestamp', 'value.revision'],
        description:
          'For `keyed`: which of two records of a key is the newer one, in a field of the schema that DocBasedVersionConstraintsProcessor watches. `offset` holds as long as the topic is not recreated and keeps its number of partitions; then the sink stops. `none`: the last one that is written.',
      },
    ),
    version_field: Type.Optional(
      Type.String({ pattern: fieldName, description: 'The field of `version`, which must be of type long.' }),
    ),
    delete_version_param: Type.Optional(
      Type.String({
        pattern: fieldName,
        description: '`deleteVersionParam` of the processor, by which deletions get their version.',
      }),
    ),
    only_if: Type.Union(
      [Type.Literal('any'), Type.Literal('absent'), Type.Literal('present'), Type.Literal('version')],
      {
        default: 'any',
        description:
          'Writes a document only if there is none under its id (`absent`), if there is one (`present`), or if it is in the version that the record has as `_version_` (`version`).',
      },
    ),
    on_conflict: Type.Union([Type.Literal('skip'), Type.Literal('reject')], {
      default: 'skip',
      description: 'What becomes of records whose `only_if` does not hold: left out, or to the dead letters.',
    }),
    update_chain: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_.-]+$',
        description:
          'Update chain of the collection that documents go through. Without it one with TolerantUpdateProcessor and nothing else is looked for, unless the collection has a default chain.',
      }),
    ),
    commit_within: Type.Optional(
      duration({ minimum: '100ms', maximum: '1h', description: 'Documents can be found after so long (soft commit).' }),
    ),
    commit: Type.Union([Type.Literal('none'), Type.Literal('soft'), Type.Literal('hard')], {
      default: 'none',
      description:
        'A commit with each request: `soft` makes documents findable, `hard` also writes them to disk first. Both cost much; `none` leaves it to `commit_within` and to `autoCommit` of the collection.',
    }),
    min_replicas: Type.Integer({
      minimum: 1,
      maximum: 16,
      default: 1,
      description: 'Of a cloud: so many replicas must have taken a document (`rf`); else it is sent again.',
    }),
    routing: Type.Union([Type.Literal('leaders'), Type.Literal('endpoints')], {
      default: 'leaders',
      description:
        'Of a cloud: `leaders` sends documents straight to the leaders of their shards, at the addresses that the nodes give themselves. `endpoints` leaves that to the nodes under `endpoints`, where only those can be reached: what they pass on counts once they know which replicas have it.',
    }),
    schema: Type.Record(Type.String({ pattern: fieldName }), schemaField, {
      ...closed,
      default: {},
      examples: [{ created_dt: { type: 'pdate' }, tags: { type: 'string', multi_valued: true } }],
      description:
        'Fields that the collection must have. Those that are missing are named, and nothing is written until they are there.',
    }),
    create_fields: Type.Boolean({
      default: false,
      description: 'Creates fields of `schema` that are missing (Schema API); the schema has to be a managed one.',
    }),
    auth: Type.Optional(clientAuthOptions),
    tls: Type.Optional(pinnedTlsOptions),
    headers: clientHeadersOption,
    proxy: Type.Optional(clientProxyOptions),
    request_timeout: duration({
      default: '15s',
      minimum: '1s',
      maximum: '10m',
      description:
        'How long a request may take; then it is sent again, which the ids make harmless. Of a cloud less than the 20 s after which its nodes give up on each other.',
    }),
    max_request: size({
      default: '10MiB',
      minimum: '64KiB',
      maximum: '100MiB',
      description: 'How large the records of a request may be together; larger batches are split.',
    }),
  },
  closed,
);

export type SinkOptions = Static<typeof sinkOptions>;
