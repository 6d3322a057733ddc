import { defineSource, SluiceError, type OptionProblem, type SourceDefinition } from 'sluice/api';
import { kafkaProblems, openKafka } from 'sluice/kafka';
import { sourceOptions, type SourceOptions } from './options.ts';
import { matchTopics, topicFilter } from './topic-filter.ts';

export const sourceDefinition: SourceDefinition<typeof sourceOptions> = defineSource({
  name: 'kafka',
  summary: 'Reads topics of a Kafka cluster as a member of a consumer group.',
  stability: 'stable',
  options: sourceOptions,
  examples: [
    { title: 'Two topics', options: { brokers: ['kafka-1:9092', 'kafka-2:9092'], topics: ['orders', 'payments'] } },
    {
      title: 'Topics by a pattern, from a time on, over TLS with a password',
      options: {
        brokers: ['kafka.example.com:9094'],
        topic_pattern: 'logs-.+',
        start: { time: '2026-11-25T08:00:00Z' },
        tls: { ca: 'certs/ca.pem' },
        sasl: { mechanism: 'scram-sha-512', username: 'sluice', password: '${env:SLUICE_KAFKA_PASSWORD}' },
      },
    },
  ],
  rewinds: true,
  placement: 'group',
  ends: true,
  validate: findProblems,
  positions: async () => (await import('./positions.ts')).positionTools,
  async check(options, { clock, log, signal }) {
    const client = openKafka(options, { clock, log });
    try {
      const topics = await matchTopics(client, options, signal);
      if (topics.length > 0) return;
      throw new SluiceError('TOPIC_UNKNOWN', `reading ${topicFilter(options).text}: the cluster has no such topic`);
    } finally {
      await client.close();
    }
  },
  async create(options) {
    const { KafkaSource } = await import('./source.ts');
    return new KafkaSource(options);
  },
});

function findProblems(options: SourceOptions): readonly OptionProblem[] {
  const { topics, topic_pattern, start } = options;
  const problems = [...kafkaProblems(options)];
  if (topics === undefined && topic_pattern === undefined)
    problems.push({ path: [], message: 'nothing to read: set `topics` or `topic_pattern`' });
  if (topics !== undefined && topic_pattern !== undefined)
    problems.push({ path: ['topic_pattern'], message: '`topics` and `topic_pattern` exclude each other' });
  if (topic_pattern !== undefined && !compiles(topic_pattern))
    problems.push({ path: ['topic_pattern'], message: `\`${topic_pattern}\` is no regular expression` });
  return typeof start === 'string' ? problems : [...problems, ...startProblems(start)];
}

function startProblems({ time, offsets }: Exclude<SourceOptions['start'], string>): readonly OptionProblem[] {
  if ((time === undefined) === (offsets === undefined))
    return [{ path: ['start'], message: 'set either `time` or `offsets`' }];
  if (time === undefined || !Number.isNaN(Date.parse(time))) return [];
  return [{ path: ['start', 'time'], message: `\`${time}\` is no time; write \`2026-11-25T08:00:00Z\`` }];
}

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u');
    return true;
  } catch {
    return false;
  }
}
