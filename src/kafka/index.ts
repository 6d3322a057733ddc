/** The Kafka client, for the topic log and for connectors; exported as `sluice/kafka`. */
export type {
  GroupGeneration,
  GroupOffset,
  KafkaChunk,
  KafkaClient,
  KafkaCluster,
  KafkaEvent,
  KafkaFeatures,
  KafkaGroup,
  KafkaMember,
  KafkaProducer,
  KafkaReader,
  KafkaTopic,
  KafkaTopicPartition,
  MemberOptions,
  NewKafkaTopic,
  OffsetAt,
  OffsetsOptions,
  ProducerOptions,
  ReaderOptions,
} from './client.ts';
export { openKafka, type KafkaDependencies } from './open.ts';
export { kafkaOptions, type KafkaSettings } from './options.ts';
export { kafkaProblems } from './settings-problems.ts';

/** What readers fill, and what the batches that they give and producers take are made of. */
export {
  bufferBytesFor,
  BufferPool,
  partitionForKey,
  RecordBatchBuilder,
  RecordView,
  sealBatch,
} from '../record/index.ts';
