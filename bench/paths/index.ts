import type { Path } from '../path.ts';
import { exactlyOnce } from './exactly-once.ts';
import { fileFile } from './file-file.ts';
import { fileKafka } from './file-kafka.ts';
import { httpKafkaHundred, httpKafkaSingle } from './http-kafka.ts';
import { idle } from './idle.ts';
import { idleConnections } from './idle-connections.ts';
import { kafkaAll } from './kafka-all.ts';
import { kafkaElasticsearch, kafkaElasticsearchDaily, kafkaElasticsearchReal } from './kafka-elasticsearch.ts';
import { kafkaFile } from './kafka-file.ts';
import { kafkaKafka } from './kafka-kafka.ts';
import { kafkaSolr } from './kafka-solr.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { fluentdGzipKafka, fluentdKafka, syslogKafka } from './stream-kafka.ts';
import { tails } from './tails.ts';
import { thousandFiles } from './thousand-files.ts';
import { where } from './where.ts';

export const paths: readonly Path[] = [
  fileKafka,
  thousandFiles,
  exactlyOnce,
  httpKafkaHundred,
  httpKafkaSingle,
  fluentdKafka,
  fluentdGzipKafka,
  syslogKafka,
  kafkaElasticsearch,
  kafkaElasticsearchDaily,
  kafkaElasticsearchReal,
  kafkaSolr,
  kafkaFile,
  kafkaAll,
  kafkaKafka,
  fileFile,
  where,
  latency,
  memory,
  idle,
  idleConnections,
  tails,
];
