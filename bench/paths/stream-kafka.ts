import { Worker } from 'node:worker_threads';
import { freePorts } from '../../src/testing/free-ports.ts';
import { contestants, type Place } from '../contestants.ts';
import { sluice } from '../hub.ts';
import type { Path } from '../path.ts';
import { peers } from '../peers/index.ts';
import type { SendFile } from '../processes/send-file.ts';
import type { Stage } from '../stage.ts';
import type { StreamToKafka, System } from '../system.ts';
import { PARTITIONS } from '../topics.ts';
import { wireFile, type Wire } from '../wire-files.ts';

const pipelineOf =
  (source: string) =>
  ({ port, topic, codec }: StreamToKafka): string => `sources:
  - ${source}: { listen: '127.0.0.1:${port}' }
    partition_by: batch
topic: { name: ${topic}, partitions: ${PARTITIONS}, compression: ${codec} }
`;

/** One connection on which a client writes without waiting for anything. */
function streamKafka(name: string, source: string, wire: Wire, others: readonly System<StreamToKafka>[] = []): Path {
  return {
    name,
    contestants: contestants({
      codecs: ['lz4'],
      systems: [sluice({ onKafka: true, pipeline: pipelineOf(source) }), ...others],
      stage: (place) => stage(place, wire),
    }),
  };
}

export const fluentdKafka = streamKafka('fluentd-kafka', 'fluentd', 'forward');
export const fluentdGzipKafka = streamKafka('fluentd-kafka-gzip', 'fluentd', 'forward-gzip');
export const syslogKafka = streamKafka('syslog-kafka', 'syslog', 'syslog', peers['syslog-kafka']);

async function stage(place: Place, wire: Wire): Promise<Stage<StreamToKafka>> {
  const { bench, folder, codec, records } = place;
  const { brokers, topics } = bench;
  const file = await wireFile(wire, await bench.lines(records));
  const [port] = (await freePorts(1)) as [number];
  const topic = await topics.create('stream');
  let client: Worker | null = null;
  let failure: unknown = null;
  return {
    task: { folder, brokers, topic, codec, records, port },
    feed() {
      const workerData: SendFile = { file, port };
      client = new Worker(new URL('../processes/send-file.ts', import.meta.url), { workerData });
      client.once('error', (error) => {
        failure = error;
      });
      return Promise.resolve();
    },
    async arrived() {
      if (failure !== null) throw new Error('sending failed', { cause: failure });
      return topics.holds(topic);
    },
    expected: records,
    records,
    async close() {
      await client?.terminate();
      await topics.remove(topic);
    },
  };
}
