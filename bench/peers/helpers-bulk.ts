import { fileURLToPath } from 'node:url';
import type { KafkaToElasticsearch, Tool } from '../system.ts';

const script = fileURLToPath(new URL('../processes/helpers-bulk.ts', import.meta.url));

/** The bulk helper of the official client, fed by the Kafka client of the hub. */
export const helpersBulk: Tool<KafkaToElasticsearch> = {
  kind: 'tool',
  name: 'helpers.bulk',
  recordsPerSecond: 150_000,
  missing: () => Promise.resolve(null),
  prepare: ({ brokers, topic, url, index, isDaily }) =>
    Promise.resolve({
      command: process.execPath,
      parameters: ['-C', 'sluice-source', script, brokers, topic, url, index, isDaily ? 'daily' : 'fixed'],
    }),
};
