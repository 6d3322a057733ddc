import type { KafkaToKafka } from '../system.ts';
import { connect } from './connect.ts';

/**
 * MirrorMaker 2 as a connector in a standalone worker: what MirrorMaker itself runs, without its further connectors. It names a copied topic `ALIAS.TOPIC`, and
 * here both clusters are the same one.
 */
export const mirrorMaker = connect<KafkaToKafka>({
  name: 'MirrorMaker 2',
  recordsPerSecond: 120_000,
  worker: ({ codec }) => ({
    'key.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
    'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
    'producer.acks': 'all',
    'producer.compression.type': codec,
    'producer.linger.ms': 20,
    'producer.batch.size': 262_144,
  }),
  connector: ({ brokers, from, topic }) => ({
    'connector.class': 'org.apache.kafka.connect.mirror.MirrorSourceConnector',
    'source.cluster.alias': aliasOf(topic, from),
    'target.cluster.alias': 'here',
    'source.cluster.bootstrap.servers': brokers,
    'target.cluster.bootstrap.servers': brokers,
    topics: from,
    // Of records alone: the hub copies neither settings nor rights nor positions of groups.
    'sync.topic.configs.enabled': false,
    'sync.topic.acls.enabled': false,
    'emit.offset-syncs.enabled': false,
    'replication.factor': 1,
    // More of them a poll, which is what its tasks convert and send at once.
    'source.consumer.max.poll.records': 5000,
  }),
});

/** Throws for a target that MirrorMaker would not write to. */
export function aliasOf(topic: string, from: string): string {
  const suffix = `.${from}`;
  if (!topic.endsWith(suffix)) throw new Error(`copying ${from}: MirrorMaker cannot name the copy ${topic}`);
  return topic.slice(0, -suffix.length);
}
