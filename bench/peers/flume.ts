import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Daemon, FileToKafka } from '../system.ts';
import { javaMissing, javaProgram, propertiesText, type Artifacts } from './java.ts';

type Channel = 'memory' | 'file';

const VERSION = '1.11.0';

const artifacts: Artifacts = {
  name: `flume-${VERSION}`,
  coordinates: [
    `org.apache.flume:flume-ng-node:${VERSION}`,
    `org.apache.flume.flume-ng-channels:flume-file-channel:${VERSION}`,
    `org.apache.flume.flume-ng-sources:flume-taildir-source:${VERSION}`,
    `org.apache.flume.flume-ng-sinks:flume-ng-kafka-sink:${VERSION}`,
    // Flume brings no binding; `ready` waits for a line of its log.
    'org.slf4j:slf4j-simple:1.7.36',
  ],
};

export const flumeMemory = flume('memory', 60_000);
export const flumeFile = flume('file', 30_000);

/** Apache Flume: TAILDIR, a channel, the Kafka sink. */
function flume(channel: Channel, recordsPerSecond: number): Daemon<FileToKafka> {
  return {
    kind: 'daemon',
    name: `Flume, ${channel} channel`,
    codecs: ['lz4'],
    recordsPerSecond,
    missing: () => javaMissing(artifacts),
    async prepare(task) {
      const file = join(task.folder, 'agent.properties');
      await writeFile(file, flumeSettings(task, channel));
      const main = 'org.apache.flume.node.Application';
      return javaProgram(artifacts, { options: ['-Xmx512m'], main, parameters: ['-n', 'a', '-f', file] });
    },
    ready: (_task, running) =>
      running.until(
        async () => (await running.output()).includes('Component type: SOURCE, name: tail started'),
        'the source to start',
      ),
  };
}

export function flumeSettings({ folder, brokers, topic, codec, input }: FileToKafka, channel: Channel): string {
  const state = join(folder, 'state');
  return propertiesText({
    'a.sources': 'tail',
    'a.channels': 'channel',
    'a.sinks': 'kafka',
    'a.channels.channel.type': channel,
    'a.channels.channel.capacity': 100_000,
    'a.channels.channel.transactionCapacity': 5000,
    ...(channel === 'memory'
      ? {}
      : {
          'a.channels.channel.checkpointDir': join(state, 'checkpoint'),
          'a.channels.channel.dataDirs': join(state, 'data'),
        }),
    'a.sources.tail.type': 'TAILDIR',
    'a.sources.tail.channels': 'channel',
    'a.sources.tail.positionFile': join(state, 'position.json'),
    'a.sources.tail.filegroups': 'f',
    'a.sources.tail.filegroups.f': input,
    // It would see the file only after a further change of the folder when both come within a second.
    'a.sources.tail.cachePatternMatching': false,
    // A transaction of 2,000 costs half of one of 100, the default; above, nothing is gained.
    'a.sources.tail.batchSize': 2000,
    'a.sinks.kafka.type': 'org.apache.flume.sink.kafka.KafkaSink',
    'a.sinks.kafka.channel': 'channel',
    'a.sinks.kafka.kafka.bootstrap.servers': brokers,
    'a.sinks.kafka.kafka.topic': topic,
    'a.sinks.kafka.flumeBatchSize': 2000,
    'a.sinks.kafka.kafka.producer.acks': 'all',
    'a.sinks.kafka.kafka.producer.compression.type': codec,
    'a.sinks.kafka.kafka.producer.linger.ms': 5,
    'a.sinks.kafka.kafka.producer.batch.size': 262_144,
  });
}
