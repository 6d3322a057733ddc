import { duration, expression, size, Type } from '../api/index.ts';
import { NAME_PATTERN, TOPIC_PATTERN } from './names.ts';

const closed = { additionalProperties: false };

const decode = Type.Union([Type.Literal('json'), Type.Literal('text'), Type.Literal('bytes')], {
  default: 'json',
  description:
    'What `value` is in expressions. Decoded only when an expression looks into it; the bytes are not changed.',
});

const name = Type.Optional(
  Type.String({
    pattern: NAME_PATTERN,
    description:
      'Makes the identity of checkpoints and offsets: another name starts anew. The connector’s name by default.',
  }),
);

const delivery = Type.Union([Type.Literal('at_least_once'), Type.Literal('exactly_once')], {
  description:
    '`exactly_once` asks for it where the input can be read again. On the embedded log such sources are exact anyway.',
});

/** What the hub does for every source: the words beside its connector. */
export const sourceWords = Type.Object(
  {
    name,
    key: Type.Optional(
      expression({
        description: 'The key of each record: records of a key stay in one partition, in order.',
        examples: ['value.user.id', "headers['x-device']"],
      }),
    ),
    partition_by: Type.Union([Type.Literal('source'), Type.Literal('batch')], {
      default: 'source',
      description:
        'For records without a key. `source` keeps a file or a connection in one partition, so that its order holds; `batch` spreads them.',
    }),
    decode,
    delivery: Type.Optional(delivery),
  },
  closed,
);

/** What the hub does for every sink: the words beside its connector. */
export const sinkWords = Type.Object(
  {
    name,
    where: Type.Optional(
      expression({
        description: 'Only records for which it is true reach this sink. A field that is missing makes it false.',
        examples: ['value.status >= 500'],
      }),
    ),
    decode,
    start: Type.Union([Type.Literal('earliest'), Type.Literal('latest')], {
      default: 'earliest',
      description: 'Where a sink begins that has no saved offset yet.',
    }),
    batch: Type.Object(
      {
        max_records: Type.Integer({
          default: 5000,
          minimum: 1,
          maximum: 1_000_000,
          description: 'Records of one write at the most.',
        }),
        max_bytes: size({
          default: '4MiB',
          minimum: '1KiB',
          maximum: '1GiB',
          description: 'Bytes of one write at the most.',
        }),
        max_age: duration({
          default: '0ms',
          maximum: '1h',
          description: 'How long a write waits for more records. By default it does not wait while the sink is idle.',
        }),
      },
      { ...closed, default: {}, description: 'How records are gathered into writes.' },
    ),
    retry: Type.Object(
      {
        min: duration({ default: '500ms', minimum: '1ms', maximum: '1h', description: 'The first wait, at most.' }),
        max: duration({ default: '60s', minimum: '1ms', maximum: '24h', description: 'The longest wait.' }),
      },
      { ...closed, default: {}, description: 'The waits before a failed write is tried again. It is tried for ever.' },
    ),
  },
  closed,
);

const topicName = Type.String({
  pattern: TOPIC_PATTERN,
  description: 'The name of the topic.',
  examples: ['access-logs'],
});

/** A topic that says no more than its name has all defaults. */
export const topicOptions = Type.Object(
  {
    name: topicName,
    partitions: Type.Integer({
      default: 1,
      minimum: 1,
      maximum: 1024,
      description:
        'Order holds within a partition; sinks work on several at a time. A Kafka topic that exists keeps its own.',
    }),
    replication_factor: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        description: 'Copies of a Kafka topic that is created. The brokers’ default when it is not set.',
      }),
    ),
    config: Type.Record(
      Type.String({ pattern: '^[a-z][a-z.]*$' }),
      Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
      {
        ...closed,
        default: {},
        description: 'Settings of a Kafka topic that is created, by Kafka’s names.',
        examples: [{ 'min.insync.replicas': '2' }],
      },
    ),
    compression: Type.Union(
      (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).map((codec) => Type.Literal(codec)),
      { default: 'none', description: 'How batches are stored.' },
    ),
    retention: Type.Object(
      {
        age: duration({ default: '7d', minimum: '1s', maximum: '36500d', description: 'How long records stay.' }),
        size: size({ default: '10GiB', minimum: '1MiB', description: 'How large the topic may become.' }),
      },
      {
        ...closed,
        default: {},
        description:
          'When old records go. Never before every sink has had them: rather than that, a full topic refuses input.',
      },
    ),
    max_record: size({
      default: '1MiB',
      minimum: '1KiB',
      maximum: '256MiB',
      description: 'A larger record becomes a dead letter.',
    }),
  },
  closed,
);

const deadLetterOptions = Type.Object(
  {
    topic: Type.Optional(
      Type.String({
        pattern: TOPIC_PATTERN,
        description: 'Their topic: the pipeline’s name with `.dead` behind it by default.',
      }),
    ),
    max_size: size({
      default: '1GiB',
      minimum: '1MiB',
      description: 'Dead letters stay until they are purged. At this size the pipeline pauses.',
    }),
    max_rate: Type.Union(
      [
        Type.Literal('off'),
        Type.Object(
          {
            records: Type.Integer({ default: 1000, minimum: 1, description: 'So many in a minute …' }),
            share: Type.Number({ default: 0.1, minimum: 0, maximum: 1, description: '… and this share of all.' }),
          },
          closed,
        ),
      ],
      { default: {}, description: 'More than this, and the pipeline pauses: an outage is not a thousand bad records.' },
    ),
  },
  closed,
);

/** A pipeline file without its legs, which depend on connectors. */
export const pipelineOptions = Type.Object(
  {
    name: Type.String({
      pattern: NAME_PATTERN,
      description:
        'The name of the pipeline, unique in the hub. It makes all its identities: another name starts anew.',
      examples: ['access-logs'],
    }),
    sources: Type.Array(Type.Any(), {
      default: [],
      description: 'Where records come from. A pipeline without sources reads a topic that another one writes.',
    }),
    topic: Type.Union([topicName, topicOptions], {
      description: 'The durable topic in the middle: its name, or more about it.',
    }),
    sinks: Type.Array(Type.Any(), {
      default: [],
      description: 'Where records go, each sink at its own pace. A pipeline without sinks only fills its topic.',
    }),
    dead_letter: Type.Union([Type.Literal('off'), deadLetterOptions], {
      default: {},
      description: 'What becomes of records that are refused for good: kept in a topic, or with `off` the leg pauses.',
    }),
    delivery: Type.Optional(delivery),
    isolation: Type.Union([Type.Literal('shared'), Type.Literal('thread')], {
      default: 'shared',
      description: '`thread` gives the pipeline a worker thread of its own.',
    }),
  },
  { ...closed, title: 'Pipeline of Sluice', description: 'Sources → topic → sinks, in one file.' },
);
