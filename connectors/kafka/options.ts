import { template, Type, type Static } from 'sluice/api';
import { kafkaOptions } from 'sluice/kafka';

const closed = { additionalProperties: false };

const start = Type.Union(
  [
    Type.Literal('earliest'),
    Type.Literal('latest'),
    Type.Object(
      {
        time: Type.Optional(
          Type.String({ minLength: 1, description: 'As in `2026-11-25T08:00:00Z`; by the time of the records.' }),
        ),
        offsets: Type.Optional(
          Type.Record(Type.String({ pattern: '^.+/[0-9]+$' }), Type.Integer({ minimum: 0 }), {
            description: 'By `topic/partition`; others begin at the earliest record.',
          }),
        ),
      },
      closed,
    ),
  ],
  {
    default: 'earliest',
    description: 'Where a partition begins that has neither a checkpoint nor an offset of the group.',
    examples: ['latest', { time: '2026-11-25T08:00:00Z' }, { offsets: { 'orders/0': 4711 } }],
  },
);

export const sourceOptions = Type.Object(
  {
    ...kafkaOptions,
    topics: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-zA-Z0-9._-]{1,249}$' }), {
        minItems: 1,
        description: 'The topics to read. Either this or `topic_pattern`.',
        examples: [['orders', 'payments']],
      }),
    ),
    topic_pattern: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'A regular expression: topics whose whole name it matches, those of later days too.',
        examples: ['logs-.+'],
      }),
    ),
    group: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 249,
        description:
          'The consumer group, to go on where another consumer ended. Made of the identities of hub and pipeline when it is not set.',
      }),
    ),
    start,
  },
  closed,
);

export type SourceOptions = Static<typeof sourceOptions>;

export const sinkOptions = Type.Object(
  {
    ...kafkaOptions,
    topic: template({
      confined: 'name',
      description:
        'The topic to write. It has to be there: one that is named here is waited for; records whose template gives one that is not there become dead letters.',
      examples: ['orders', 'orders-{{ value.country }}'],
    }),
    partition_by: Type.Union([Type.Literal('source'), Type.Literal('key')], {
      default: 'source',
      description:
        '`source` keeps the number of the partition that a record comes from (modulo theirs), and stored batches pass as they are. `key` spreads by the hash of the key, as Kafka’s own producer does; records without a key go by `source`.',
    }),
    compression: Type.Union(
      [Type.Literal('none'), Type.Literal('gzip'), Type.Literal('snappy'), Type.Literal('lz4'), Type.Literal('zstd')],
      { default: 'none', description: 'Of batches that are built anew; others keep what they have.' },
    ),
  },
  closed,
);

export type SinkOptions = Static<typeof sinkOptions>;
