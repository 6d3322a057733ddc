import type { KafkaClient } from '../../../src/kafka/index.ts';
import { createHub, drain, HubProcess } from '../hub.ts';
import type { Proof, Result } from '../proof.ts';
import { Elastic } from './elastic.ts';
import { judgeIndexed, lifeOf, type TopicLife } from './indexed.ts';
import type { Servers } from './servers.ts';
import { openClient, produce } from './topics.ts';
import { until } from './waiting.ts';

const TOPIC = 'prove-recreated';
const PARTITIONS = 2;

const pipeline = (url: string): string => `name: prove-recreated
topic: ${TOPIC}
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: ${TOPIC} }
`;

/** A topic is deleted and made again, once under a hub that reads it and once while that is down: the records of all three are there, under ids of their own. */
export async function proveRecreated({ folder, lines }: Proof, servers: Servers): Promise<Result> {
  const [{ brokers }, { url }] = await Promise.all([servers.shared('kafka'), servers.shared('elasticsearch')]);
  const elastic = new Elastic(url);
  await elastic.createIndex(TOPIC, { n: { type: 'integer' } });
  const client = openClient(brokers);
  const hub = await createHub(folder, pipeline(url), [`kafka: { brokers: ['${brokers}'] }`]);
  const linesEach = Math.ceil(lines / 3);
  const lives: TopicLife[] = [];
  const fill = async (): Promise<void> => {
    lives.push(await newTopic(client, { from: lives.length * linesEach, lines: linesEach }));
  };
  try {
    await fill();
    const life = new HubProcess(hub, ['run']);
    const indexed = (wanted: number): Promise<void> =>
      until(`${wanted} documents are there`, async () => (await elastic.count(TOPIC)) >= wanted, {
        hubs: [life],
        deadlineMs: 120_000,
      });
    await indexed(linesEach);
    await fill();
    await indexed(2 * linesEach);
    await life.kill('SIGTERM');
    // As many records as the group has committed offsets for: whoever trusted those would read nothing.
    await fill();
    await drain(hub);
    const { documents, lost, problems } = await judgeIndexed(elastic, TOPIC, { lives, lines: 3 * linesEach });
    const incarnations = lives.map(({ incarnation }) => incarnation).join(', ');
    return {
      expected: 3 * linesEach,
      rows: documents,
      lost,
      duplicated: Math.max(0, documents - 3 * linesEach),
      note: `recreated under the running hub and while it was down; incarnations ${incarnations}`,
      problems,
      unjudged: [],
    };
  } finally {
    await client.close();
  }
}

/** Deletes the topic, makes it anew and fills it. */
async function newTopic(client: KafkaClient, { from, lines }: { from: number; lines: number }): Promise<TopicLife> {
  await client.deleteTopic(TOPIC);
  await until(
    'the topic is made',
    () => client.createTopic({ name: TOPIC, partitions: PARTITIONS, replicationFactor: 1 }),
    {
      deadlineMs: 30_000,
    },
  );
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const numbers = Array.from({ length: lines }, (_, index) => from + index).filter(
      (n) => n % PARTITIONS === partition,
    );
    await produce(
      client,
      TOPIC,
      partition,
      numbers.map((n) => `{"n":${n}}`),
    );
  }
  return (await lifeOf(client, TOPIC))!;
}
