import { BulkServer } from '../bulk-server.ts';
import { contestants, type Place } from '../contestants.ts';
import { sluice } from '../hub.ts';
import type { Path } from '../path.ts';
import { peers } from '../peers/index.ts';
import { RealIndex } from '../real-index.ts';
import type { Stage } from '../stage.ts';
import type { KafkaToElasticsearch } from '../system.ts';

const pipeline = ({ topic, url, index, isDaily }: KafkaToElasticsearch): string => {
  const name = isDaily ? `"${index}-{{ formatTime(timestamp, 'yyyy.MM.dd') }}"` : index;
  return `topic: ${topic}
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: ${name} }
`;
};

const hub = sluice({ onKafka: true, pipeline });
const systems = [hub, ...peers['kafka-elasticsearch']];

/** A topic into documents, with a server that answers at once: what the hub costs. */
export const kafkaElasticsearch: Path = {
  name: 'kafka-elasticsearch',
  contestants: contestants({ codecs: ['lz4'], systems, stage: (place) => stageAtOnce(place, false) }),
};

/** The same into an index a day, by a template. */
export const kafkaElasticsearchDaily: Path = {
  name: 'kafka-elasticsearch-daily',
  contestants: contestants({ codecs: ['lz4'], systems, stage: (place) => stageAtOnce(place, true) }),
};

/** The same into a real server, which is what bounds it. */
export const kafkaElasticsearchReal: Path = {
  name: 'kafka-elasticsearch-real',
  contestants: contestants({
    codecs: ['lz4'],
    systems: [hub, ...peers['kafka-elasticsearch-real']],
    stage: stageReal,
    recordsPerSecond: 20_000,
  }),
};

async function stageAtOnce(place: Place, isDaily: boolean): Promise<Stage<KafkaToElasticsearch>> {
  const server = await BulkServer.start(place.folder);
  return {
    task: await taskOf(place, server.url, 'bench', isDaily),
    feed: null,
    arrived: async () => (await server.counts()).documents,
    expected: place.records,
    records: place.records,
    close: () => server.stop(),
  };
}

async function stageReal(place: Place): Promise<Stage<KafkaToElasticsearch>> {
  const index = await RealIndex.create(await place.bench.elasticsearch());
  return {
    task: await taskOf(place, index.url, index.name, false),
    feed: null,
    arrived: () => index.written(),
    expected: place.records,
    records: place.records,
    close: () => index.remove(),
  };
}

async function taskOf(
  { bench, folder, codec, records }: Place,
  url: string,
  index: string,
  isDaily: boolean,
): Promise<KafkaToElasticsearch> {
  const topic = await bench.filledTopic(records);
  return { folder, brokers: bench.brokers, topic, codec, records, url, index, isDaily };
}
