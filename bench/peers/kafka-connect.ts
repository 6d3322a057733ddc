import type { FileToKafka } from '../system.ts';
import { connect, type Properties } from './connect.ts';

/**
 * FileStreamSource of Kafka Connect. Batches of 256 KiB by 20 ms carry three times as many lines as the producer's defaults (16 KiB by 5 ms); more of
 * either, and other sizes of the connector's own batches, make no difference. Strings as they are: JSON would write a schema with each.
 */
export const kafkaConnect = fileStream('Kafka Connect', { 'producer.linger.ms': 20, 'producer.batch.size': 262_144 });

/** The same with the batches that its producer has by default. */
export const kafkaConnectDefaults = fileStream('Kafka Connect, default batches', {});

function fileStream(name: string, batches: Properties): ReturnType<typeof connect<FileToKafka>> {
  return connect<FileToKafka>({
    name,
    recordsPerSecond: 120_000,
    worker: ({ codec }) => ({
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'producer.acks': 'all',
      'producer.compression.type': codec,
      ...batches,
    }),
    connector: ({ input, topic }) => ({
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
      file: input,
      topic,
    }),
  });
}
