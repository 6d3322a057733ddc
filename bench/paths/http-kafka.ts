import { Worker } from 'node:worker_threads';
import { freePorts } from '../../src/testing/free-ports.ts';
import { contestants, type Place } from '../contestants.ts';
import { sluice } from '../hub.ts';
import type { Path } from '../path.ts';
import { peers } from '../peers/index.ts';
import type { PostLines } from '../processes/post-lines.ts';
import type { Stage } from '../stage.ts';
import type { HttpToKafka } from '../system.ts';
import { PARTITIONS } from '../topics.ts';

const pipeline = ({ port, topic, codec }: HttpToKafka): string => `sources:
  - http: { listen: '127.0.0.1:${port}' }
    partition_by: batch
topic: { name: ${topic}, partitions: ${PARTITIONS}, compression: ${codec} }
`;

/** Clients that wait for their answers; in a request so many records. */
function httpKafka(name: string, recordsPerBody: number, connections: number, recordsPerSecond: number): Path {
  return {
    name,
    contestants: contestants({
      codecs: ['lz4'],
      systems: [sluice({ onKafka: true, pipeline }), ...peers['http-kafka']],
      stage: (place) => stage(place, recordsPerBody, connections),
      recordsPerSecond,
    }),
  };
}

export const httpKafkaHundred = httpKafka('http-kafka', 100, 32, 400_000);
export const httpKafkaSingle = httpKafka('http-kafka-single', 1, 64, 20_000);

async function stage(place: Place, recordsPerBody: number, connections: number): Promise<Stage<HttpToKafka>> {
  const { bench, folder, codec, records } = place;
  const { brokers, topics } = bench;
  const { file } = await bench.lines(records);
  const [port] = (await freePorts(1)) as [number];
  const topic = await topics.create('http');
  const acknowledged = new SharedArrayBuffer(4);
  const counter = new Int32Array(acknowledged);
  let client: Worker | null = null;
  let failure: unknown = null;
  return {
    task: { folder, brokers, topic, codec, records, port, recordsPerBody },
    feed() {
      const workerData: PostLines = { file, port, recordsPerBody, connections, acknowledged };
      client = new Worker(new URL('../processes/post-lines.ts', import.meta.url), { workerData });
      client.once('error', (error) => {
        failure = error;
      });
      return Promise.resolve();
    },
    async arrived() {
      if (failure !== null) throw new Error('posting failed', { cause: failure });
      const count = Atomics.load(counter, 0);
      return count < records ? count : await confirmed(topics.holds(topic), records);
    },
    expected: records,
    records,
    async close() {
      await client?.terminate();
      await topics.remove(topic);
    },
  };
}

/** What was acknowledged has to be in the topic, except by a server that only answers. */
async function confirmed(holding: Promise<number>, records: number): Promise<number> {
  const held = await holding;
  if (held !== 0 && held !== records) throw new Error(`${records} records were acknowledged, the topic has ${held}`);
  return records;
}
