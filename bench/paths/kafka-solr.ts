import { BulkServer } from '../bulk-server.ts';
import { contestants, type Place } from '../contestants.ts';
import { sluice } from '../hub.ts';
import type { Path } from '../path.ts';
import type { Stage } from '../stage.ts';
import type { KafkaToSolr } from '../system.ts';

const pipeline = ({ topic, url, core }: KafkaToSolr): string => `topic: ${topic}
sinks:
  - solr: { endpoints: ['${url}/solr'], core: ${core} }
`;

/** A topic into documents of Solr, with a server that answers at once and names each document: what the hub costs. */
export const kafkaSolr: Path = {
  name: 'kafka-solr',
  contestants: contestants({ codecs: ['lz4'], systems: [sluice({ onKafka: true, pipeline })], stage }),
};

async function stage({ bench, folder, codec, records }: Place): Promise<Stage<KafkaToSolr>> {
  const server = await BulkServer.start(folder);
  const topic = await bench.filledTopic(records);
  return {
    task: { folder, brokers: bench.brokers, topic, codec, records, url: server.url, core: 'bench' },
    feed: null,
    arrived: async () => (await server.counts()).documents,
    expected: records,
    records,
    close: () => server.stop(),
  };
}
