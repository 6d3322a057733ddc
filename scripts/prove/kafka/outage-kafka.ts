import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaClient } from '../../../src/kafka/index.ts';
import { freePorts } from '../../../src/testing/free-ports.ts';
import type { OwnServer } from '../../services/own-server.ts';
import { createHub, HubProcess, listening } from '../hub.ts';
import { NumberedLines } from '../numbered-lines.ts';
import type { Proof, Result } from '../proof.ts';
import { recordsPerPost, Traffic } from '../traffic.ts';
import { Elastic } from './elastic.ts';
import { judgeIndexed, lifeOf } from './indexed.ts';
import { growEvenly, judgeWatch, noteOf, planFor } from './outage.ts';
import type { Servers } from './servers.ts';
import { openClient, readAll } from './topics.ts';
import { until } from './waiting.ts';
import { Watch } from './watch.ts';

const TOPIC = 'prove-outage-kafka';

const pipeline = (port: number, url: string): string => `name: prove-outage-kafka
sources:
  - file: { include: ['in/*.log'] }
  - http: { listen: '127.0.0.1:${port}' }
topic: { name: ${TOPIC}, partitions: 4 }
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: ${TOPIC} }
`;

/** The only broker is killed under load of files that grow and of clients that post, and comes back. */
export async function proveOutageOfKafka({ folder, lines }: Proof, servers: Servers): Promise<Result> {
  const [{ url }, broker] = await Promise.all([servers.shared('elasticsearch'), servers.own('kafka', 'outage')]);
  const elastic = new Elastic(url);
  await elastic.createIndex(TOPIC, { n: { type: 'integer' } });
  const [port] = (await freePorts(1)) as [number];
  const hub = await createHub(folder, pipeline(port, url), [`kafka: { brokers: ['${broker.where.brokers}'] }`]);
  const client = openClient(broker.where.brokers);
  const life = new HubProcess(hub, ['run']);
  const watch = new Watch(hub, life);
  try {
    // Half of it by files, half by posts.
    const posts = Math.ceil(lines / 2 / recordsPerPost);
    const [read, posted] = [Math.floor(lines / 2), posts * recordsPerPost];
    const { outageMs, loadMs } = planFor(lines);
    await listening(life, port);
    const traffic = new Traffic(port, posts, true);
    const also = (part: number): void => {
      traffic.allowed = Math.floor(part * posts);
    };
    const input = new NumberedLines(join(folder, 'in'), read);
    const load = Promise.all([traffic.run(), growEvenly(input, { lines: read, overMs: loadMs, also })]);
    await Promise.all([load, hurt(broker, watch, outageMs)]);
    await until('everything is indexed', async () => (await elastic.count(TOPIC)) >= read + posted, {
      hubs: [life],
      deadlineMs: 180_000,
    });
    await life.kill('SIGTERM');
    await watch.over();
    const { lost, duplicated, strange } = await judgeTopic(client, { read, posted });
    const topic = (await lifeOf(client, TOPIC))!;
    const { documents, problems } = await judgeIndexed(elastic, TOPIC, { lives: [topic], lines: 0 });
    return {
      expected: read + posted,
      rows: documents,
      lost,
      duplicated,
      note: `killed for ${Math.round(outageMs / 1000)} s; ${traffic.repeated} posts repeated; ${noteOf(watch)}`,
      problems: [
        ...problems,
        ...(strange > 0 ? [`${strange} torn or foreign records in the topic`] : []),
        ...judgeWatch(watch, ['waiting for Kafka: broker ']),
      ],
      unjudged: [],
    };
  } finally {
    await life.kill();
    await client.close();
    await broker.down();
  }
}

async function hurt(broker: OwnServer<'kafka'>, watch: Watch, outageMs: number): Promise<void> {
  await sleep(outageMs / 2);
  await broker.kill();
  await watch.growthDuring(sleep(outageMs));
  await broker.startAgain();
}

/** Each line and each posted record, once? */
async function judgeTopic(
  client: KafkaClient,
  { read, posted }: { read: number; posted: number },
): Promise<{ lost: number; duplicated: number; strange: number }> {
  const [lines, records] = [new Uint16Array(read), new Uint16Array(posted)];
  let strange = 0;
  await readAll(client, TOPIC, (value) => {
    const match = /^\{"n":(\d+),("from":"post")?/.exec(value.toString());
    const counts = match?.[2] === undefined ? lines : records;
    const number = Number(match?.[1]);
    if (number < counts.length) counts[number]!++;
    else strange++;
  });
  let [lost, duplicated] = [0, 0];
  for (const count of [...lines, ...records]) {
    if (count === 0) lost++;
    else duplicated += count - 1;
  }
  return { lost, duplicated, strange };
}
