import { defineSink, SluiceError, type SinkDefinition } from 'sluice/api';
import { kafkaProblems, openKafka } from 'sluice/kafka';
import { sinkOptions } from './options.ts';

export const sinkDefinition: SinkDefinition<typeof sinkOptions> = defineSink({
  name: 'kafka',
  summary: 'Writes records to topics of a Kafka cluster, stored batches as they are.',
  stability: 'stable',
  options: sinkOptions,
  examples: [
    { title: 'Copies to another cluster', options: { brokers: ['backup-1:9092'], topic: 'orders' } },
    {
      title: 'A topic by the content, spread by key',
      options: {
        brokers: ['kafka.example.com:9094'],
        topic: 'orders-{{ value.country }}',
        partition_by: 'key',
        compression: 'zstd',
        tls: true,
        sasl: { mechanism: 'plain', username: 'sluice', password: '${file:/run/secrets/kafka}' },
      },
    },
  ],
  order: 'partition',
  sealed: true,
  promise: 'at-least-once',
  holes: () => ['what was on its way when the hub was killed is written once more'],
  validate: (options) => kafkaProblems(options),
  async check(options, { clock, log, signal }) {
    const client = openKafka(options, { clock, log });
    try {
      const name = options.topic.constant;
      const topics = await client.topics(name === null ? [] : [name], signal);
      if (name === null || topics.length > 0) return;
      throw new SluiceError('TOPIC_UNKNOWN', `writing to topic "${name}": the cluster has no such topic`);
    } finally {
      await client.close();
    }
  },
  async create(options, context) {
    const { KafkaSink } = await import('./sink.ts');
    return new KafkaSink(options, context);
  },
});
