import { defineJobSink, SluiceError, type ConnectorDefinition, type JobSinkDefinition } from 'sluice/api';
import { sinkOptions, type SinkOptions } from './options.ts';
import { streamingOptions } from './streaming/options.ts';
import { findProblems } from './validate.ts';

const DEFAULT_AGE_MS = 5 * 60_000;

const sinkDefinition: JobSinkDefinition<typeof sinkOptions> = defineJobSink({
  name: 'spark',
  summary: 'Has ranges of offsets processed by Apache Spark: one application for each batch.',
  stability: 'stable',
  options: sinkOptions,
  examples: [
    {
      title: 'A standalone cluster',
      options: {
        standalone: {
          rest: ['http://spark-master:6066'],
          ui: ['http://spark-master:8080'],
          master: 'spark://spark-master:7077',
        },
        application: {
          url: 'hdfs://namenode/jobs/etl.jar',
          class: 'com.acme.Etl',
          arguments: ['--brokers', 'kafka-1:9092', '--output', 'hdfs://namenode/orders'],
        },
        properties: { 'spark.executor.memory': '2g' },
        range: { max_records: 500_000, max_age: '10m' },
      },
    },
    {
      title: 'Once an hour through Livy',
      options: {
        livy: { url: 'http://livy:8998' },
        application: { url: 'hdfs://namenode/jobs/range.py', arguments: ['--brokers', 'kafka-1:9092'] },
        range: { cron: '0 * * * *' },
      },
    },
    {
      title: 'Landed files, by spark-submit on this machine',
      options: {
        spark_submit: { command: '/opt/spark/bin/spark-submit', master: 'local[2]' },
        application: { path: 'jobs/landed.py', arguments: ['--output', '/srv/orders'] },
        land: { path: 'landing' },
      },
    },
  ],
  promise: 'effectively-once',
  holes: () => [
    'the job has to keep its contract: output under its batch id, published without replacing, success where it is there already',
  ],
  validate: findProblems,
  policy: policyOf,
  async check(options, context) {
    const { checkSpark } = await import('./check.ts');
    await checkSpark(options, context);
  },
  async create(options, context) {
    const { createSink } = await import('./create.ts');
    return createSink(options, context);
  },
});

const streamingDefinition: JobSinkDefinition<typeof streamingOptions> = defineJobSink({
  name: 'spark_streaming',
  summary:
    'Follows a query of Structured Streaming that reads the topic by itself: what its checkpoint has passed is saved as offsets and shown as lag.',
  stability: 'experimental',
  options: streamingOptions,
  examples: [
    { title: 'A query that somebody else starts and ends', options: { checkpoint: '/mnt/spark/checkpoints/orders' } },
  ],
  promise: 'effectively-once',
  holes: () => ['what the query promises for its own output: Sluice writes nothing, and follows its checkpoint'],
  policy: ({ poll_interval: pollMs }) => ({
    maxRecords: Number.MAX_SAFE_INTEGER,
    maxBytes: null,
    // Whatever is there is what the query is at.
    maxAgeMs: 0,
    cron: null,
    pollMs,
    deadlineMs: Infinity,
    attempts: 1,
    onFailure: 'pause',
    landing: null,
  }),
  async check({ checkpoint }) {
    const { readdir } = await import('node:fs/promises');
    await readdir(checkpoint).catch((error: unknown) => {
      throw new SluiceError('OPTION_INVALID', `reading the checkpoint "${checkpoint}"`, { cause: error });
    });
  },
  async create(options, { clock }) {
    const { CheckpointFollower } = await import('./streaming/follower.ts');
    return new CheckpointFollower(options, clock);
  },
});

export const definitions: readonly ConnectorDefinition[] = [sinkDefinition, streamingDefinition];

function policyOf({
  range,
  land,
  deadline,
  attempts,
  on_failure: onFailure,
  poll_interval: pollMs,
}: SinkOptions): ReturnType<typeof sinkDefinition.policy> {
  const { max_records: maxRecords, max_bytes: maxBytes = null, max_age: maxAge, cron = null } = range;
  return {
    maxRecords,
    maxBytes,
    maxAgeMs: maxAge ?? (cron === null ? DEFAULT_AGE_MS : null),
    cron,
    pollMs,
    deadlineMs: deadline,
    attempts,
    onFailure,
    landing: land === undefined ? null : { folder: land.path, values: land.values, keep: land.keep },
  };
}
