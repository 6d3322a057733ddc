import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BulkServer } from '../bulk-server.ts';
import { contestants, type Place } from '../contestants.ts';
import { sluice } from '../hub.ts';
import type { Path } from '../path.ts';
import { publishedRecords } from '../published-records.ts';
import type { Stage } from '../stage.ts';
import type { KafkaToAll } from '../system.ts';
import { accessColumns } from './kafka-file.ts';

const SEARCH_SINKS = ['elasticsearch', 'opensearch', 'solr'] as const;
const FILE_SINKS = {
  gzip: 'format: ndjson\n      compression: gzip',
  avro: `format: avro\n      columns:${accessColumns}`,
  parquet: `format: parquet\n      columns:${accessColumns}`,
};

const pipeline = ({ brokers, topic, copy, url, output }: KafkaToAll): string => `topic: ${topic}
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: bench }
  - opensearch: { endpoints: ['${url}'], index: bench }
  - solr: { endpoints: ['${url}/solr'], core: bench }
  - kafka: { brokers: ['${brokers}'], topic: ${copy} }
  - spark:
      standalone: { rest: ['${url}'], master: 'spark://127.0.0.1:7077' }
      application: { path: '${output}/never.py' }
      range: { max_records: 1000000000, max_age: 1d }
${Object.entries(FILE_SINKS)
  .map(
    ([name, format]) =>
      `  - file:\n      path: '${join(output, name)}'\n      roll: { idle: 500ms }\n      ${format}\n    name: ${name}\n`,
  )
  .join('')}`;

/** A topic into a sink of each kind at once, in one worker: what they take of memory together. The batch of the job sink does not come to its end meanwhile. */
export const kafkaAll: Path = {
  name: 'kafka-all',
  contestants: contestants({
    codecs: ['lz4'],
    systems: [sluice({ onKafka: true, pipeline })],
    stage,
    recordsPerSecond: 40_000,
  }),
};

async function stage({ bench, folder, codec, records }: Place): Promise<Stage<KafkaToAll>> {
  const server = await BulkServer.start(folder);
  const topic = await bench.filledTopic(records);
  const copy = await bench.topics.create('copy');
  const output = join(folder, 'out');
  for (const name of Object.keys(FILE_SINKS)) await mkdir(join(output, name), { recursive: true });
  const sinks = SEARCH_SINKS.length + Object.keys(FILE_SINKS).length + 1;
  return {
    task: { folder, brokers: bench.brokers, topic, copy, codec, records, url: server.url, output },
    feed: null,
    async arrived() {
      const files = Object.keys(FILE_SINKS).map((name) => publishedRecords(join(output, name)));
      const counts = await Promise.all([
        server.counts().then(({ documents }) => documents),
        bench.topics.holds(copy),
        ...files,
      ]);
      return counts.reduce((sum, count) => sum + count, 0);
    },
    expected: sinks * records,
    records,
    async close() {
      await server.stop();
      await bench.topics.remove(copy);
    },
  };
}
