import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { contestants, type Place } from '../contestants.ts';
import { sluice } from '../hub.ts';
import type { Path } from '../path.ts';
import { publishedRecords } from '../published-records.ts';
import type { Stage } from '../stage.ts';
import type { Daemon, KafkaToFile } from '../system.ts';

/** Of the lines that every path carries. */
export const accessColumns = `
        - { name: time, type: timestamp, required: true }
        - { name: host, required: true }
        - { name: client }
        - { name: method }
        - { name: path }
        - { name: status, type: int }
        - { name: bytes, type: long }
        - { name: duration_ms, type: double }
        - { name: user }
        - { name: agent }
        - { name: request }`;

const formats = {
  NDJSON: 'format: ndjson',
  'NDJSON, gzip -1': 'format: ndjson\n      compression: gzip\n      compression_level: 1',
  CSV: `format: csv\n      columns:${accessColumns}`,
  Avro: `format: avro\n      columns:${accessColumns}`,
  Parquet: `format: parquet\n      columns:${accessColumns}`,
};

const systems = Object.entries(formats).map(([name, format]): Daemon<KafkaToFile> =>
  sluice({
    name: `sluice, ${name}`,
    onKafka: true,
    pipeline: ({ topic, output }) =>
      `topic: ${topic}\nsinks:\n  - file:\n      path: '${output}'\n      roll: { idle: 500ms }\n      ${format}\n`,
  }),
);

/** A topic into files of each format. */
export const kafkaFile: Path = { name: 'kafka-file', contestants: contestants({ codecs: ['lz4'], systems, stage }) };

async function stage({ bench, folder, codec, records }: Place): Promise<Stage<KafkaToFile>> {
  const topic = await bench.filledTopic(records);
  const output = join(folder, 'out');
  await mkdir(output);
  return {
    task: { folder, brokers: bench.brokers, topic, codec, records, output },
    feed: null,
    arrived: () => publishedRecords(output),
    expected: records,
    records,
    close: () => Promise.resolve(),
  };
}
