import { duration, path, size, Type, type Static } from 'sluice/api';
import { clientAuthOptions, clientHeadersOption, clientProxyOptions, pinnedTlsOptions } from 'sluice/toolkit';

const closed = { additionalProperties: false };
const address = Type.String({ pattern: '^https?://[^/?#\\s]+(/[^?#\\s]*)?$' });

const httpOptions = {
  auth: Type.Optional(clientAuthOptions),
  tls: Type.Optional(pinnedTlsOptions),
  headers: clientHeadersOption,
  proxy: Type.Optional(clientProxyOptions),
  timeout: duration({
    default: '30s',
    minimum: '1s',
    maximum: '10m',
    description: 'How long a request may take.',
  }),
};

const standaloneOptions = Type.Object(
  {
    rest: Type.Array(address, {
      minItems: 1,
      maxItems: 8,
      uniqueItems: true,
      description: 'REST servers of the masters (`spark.master.rest.enabled`); those that stand by are passed over.',
      examples: [['http://spark-master:6066']],
    }),
    master: Type.String({
      pattern: '^spark://[^/\\s]+$',
      description: 'The master for the driver, as Spark names it.',
      examples: ['spark://spark-master:7077'],
    }),
    ui: Type.Array(address, {
      default: [],
      maxItems: 8,
      uniqueItems: true,
      description:
        'Web UIs of the masters. With them the reason of a failure comes from the driver’s own output, and a job whose answer was lost is found by its name.',
      examples: [['http://spark-master:8080']],
    }),
    ...httpOptions,
  },
  { ...closed, description: 'A standalone cluster, through the REST server of its master.' },
);

const livyOptions = Type.Object(
  {
    url: Type.String({ ...address, description: 'The Livy server.', examples: ['http://livy:8998'] }),
    proxy_user: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'The user that jobs run as.' })),
    queue: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'The queue of YARN.' })),
    ...httpOptions,
  },
  { ...closed, description: 'Batches of Apache Livy.' },
);

const submitOptions = Type.Object(
  {
    command: path({ description: 'The program `spark-submit`.', examples: ['/opt/spark/bin/spark-submit'] }),
    master: Type.String({
      pattern: '^(local(\\[[0-9*, ]+\\])?|yarn|k8s://\\S+|spark://\\S+)$',
      description: 'As Spark names it. `spark://` in client mode only: cluster mode has `standalone`.',
      examples: ['local[2]', 'yarn', 'k8s://https://kubernetes:6443'],
    }),
    deploy_mode: Type.Union([Type.Literal('client'), Type.Literal('cluster')], {
      default: 'client',
      description: 'Where the driver runs: beside the hub, or in the cluster.',
    }),
    yarn_command: Type.Optional(
      path({
        description: 'The program `yarn`, which ends applications in cluster mode.',
        examples: ['/opt/hadoop/bin/yarn'],
      }),
    ),
    stop_timeout: duration({
      default: '10s',
      minimum: '0ms',
      maximum: '10m',
      description: 'How long its processes have to end after SIGTERM, before SIGKILL.',
    }),
  },
  { ...closed, description: '`spark-submit` as a child of the hub, in a process group of its own, without a shell.' },
);

const applicationOptions = Type.Object(
  {
    path: Type.Optional(
      path({
        description:
          'The application on this machine, a `.py` or a `.jar`. Standalone workers find it under the same path.',
        examples: ['jobs/range.py'],
      }),
    ),
    url: Type.Optional(
      Type.String({
        pattern: '^[a-z][a-z0-9+.-]*:\\S+$',
        description: 'The application where the cluster finds it, instead of `path`.',
        examples: ['hdfs://namenode/jobs/etl.jar', 'local:///opt/jobs/etl.jar'],
      }),
    ),
    class: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z_$][A-Za-z0-9_$.]*$',
        description: 'The main class of a jar.',
        examples: ['com.acme.Etl'],
      }),
    ),
    arguments: Type.Array(Type.String({ maxLength: 10_000 }), {
      default: [],
      maxItems: 200,
      description: 'Its arguments. Those that name the batch come behind them.',
      examples: [['--brokers', 'kafka-1:9092', '--output', 's3a://lake/orders']],
    }),
    jars: Type.Array(Type.String({ pattern: '^[^\\s,]+$' }), {
      default: [],
      description: 'Further jars, as Spark names them.',
    }),
    py_files: Type.Array(Type.String({ pattern: '^[^\\s,]+$' }), {
      default: [],
      description: 'Further `.py`, `.zip` or `.egg` files for Python.',
    }),
    files: Type.Array(Type.String({ pattern: '^[^\\s,]+$' }), {
      default: [],
      description: 'Files that are there in the working folder of each executor.',
    }),
  },
  { ...closed, description: 'What runs. It keeps the contract below.' },
);

export const sinkOptions = Type.Object(
  {
    standalone: Type.Optional(standaloneOptions),
    livy: Type.Optional(livyOptions),
    spark_submit: Type.Optional(submitOptions),
    application: applicationOptions,
    properties: Type.Record(
      Type.String({ pattern: '^spark\\.[A-Za-z0-9][A-Za-z0-9._-]*$' }),
      Type.Union([Type.String({ maxLength: 10_000 }), Type.Number(), Type.Boolean()]),
      {
        ...closed,
        default: {},
        description: 'Properties of Spark. Cluster, user and process lists show them: no place for secrets.',
        examples: [{ 'spark.executor.memory': '2g', 'spark.cores.max': 4 }],
      },
    ),
    environment: Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String({ maxLength: 10_000 }), {
      ...closed,
      default: {},
      description: 'Environment variables of the driver (with `livy` there are none).',
      examples: [{ PYSPARK_PYTHON: '/opt/venv/bin/python' }],
    }),
    range: Type.Object(
      {
        max_records: Type.Integer({
          default: 1_000_000,
          minimum: 1,
          description: 'A batch is closed when so many offsets wait, over all partitions …',
        }),
        max_bytes: Type.Optional(
          size({
            minimum: '1KiB',
            description: '… or so many bytes, as they are stored. Then the hub reads the topic to count them …',
          }),
        ),
        max_age: Type.Optional(
          duration({
            minimum: '1s',
            maximum: '7d',
            description: '… or when the first has waited so long: 5 minutes, unless `cron` is set …',
          }),
        ),
        cron: Type.Optional(
          Type.String({
            minLength: 9,
            maxLength: 200,
            description: '… or at these times, in UTC: minute, hour, day of the month, month, day of the week.',
            examples: ['0 * * * *'],
          }),
        ),
      },
      { ...closed, default: {}, description: 'When what waits becomes a batch.' },
    ),
    land: Type.Optional(
      Type.Object(
        {
          path: path({
            description: 'Batches lie below it as folders that the job sees under the same path.',
            examples: ['/mnt/landing/orders'],
          }),
          values: Type.Union([Type.Literal('text'), Type.Literal('base64')], {
            default: 'text',
            description:
              'How keys and values stand in the JSON: `text`, where what is no UTF-8 stands in base64 under `value_base64`; or `base64`, which Spark reads as BINARY.',
          }),
          keep: Type.Boolean({ default: false, description: 'Folders of batches that are done stay.' }),
        },
        {
          ...closed,
          description:
            'Land the records as JSON lines for the job, instead of telling it where they are in Kafka. Needed on the embedded log.',
        },
      ),
    ),
    deadline: duration({
      default: '1h',
      minimum: '10s',
      maximum: '30d',
      description:
        'A job that takes longer is ended, and counts as failed. The time that it waits for resources counts.',
    }),
    attempts: Type.Integer({
      default: 3,
      minimum: 1,
      maximum: 1000,
      description: 'A batch whose jobs failed so often is given up.',
    }),
    on_failure: Type.Union([Type.Literal('dead_letter'), Type.Literal('pause')], {
      default: 'dead_letter',
      description:
        '`dead_letter` keeps the ranges of a batch that is given up among the dead letters and goes on; `pause` waits for an operator.',
    }),
    poll_interval: duration({
      default: '1s',
      minimum: '100ms',
      maximum: '10m',
      description:
        'How often the topic and the job are looked at; a job that takes long less often, after a fifth of its time, but every 10 seconds.',
    }),
  },
  closed,
);

export type SinkOptions = Static<typeof sinkOptions>;
export type StandaloneOptions = Static<typeof standaloneOptions>;
export type LivyOptions = Static<typeof livyOptions>;
export type SubmitOptions = Static<typeof submitOptions>;
