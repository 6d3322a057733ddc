import { contestants, type Place } from '../contestants.ts';
import { sluice } from '../hub.ts';
import type { Path } from '../path.ts';
import { peers } from '../peers/index.ts';
import type { Stage } from '../stage.ts';
import type { KafkaToKafka } from '../system.ts';

const pipeline = ({ brokers, from, topic }: KafkaToKafka): string => `topic: ${from}
sinks:
  - kafka: { brokers: ['${brokers}'], topic: ${topic} }
`;

/** A topic into another one. */
export const kafkaKafka: Path = {
  name: 'kafka-kafka',
  contestants: contestants({
    codecs: ['lz4'],
    systems: [sluice({ onKafka: true, pipeline }), ...peers['kafka-kafka']],
    stage,
  }),
};

async function stage({ bench, folder, codec, records }: Place): Promise<Stage<KafkaToKafka>> {
  const { brokers, topics } = bench;
  const from = await bench.filledTopic(records);
  const topic = await topics.create('copy', `.${from}`);
  return {
    task: { folder, brokers, topic, codec, records, from },
    feed: null,
    arrived: () => topics.holds(topic),
    expected: records,
    records,
    close: () => topics.remove(topic),
  };
}
