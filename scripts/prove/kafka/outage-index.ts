import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHub, HubProcess } from '../hub.ts';
import { NumberedLines } from '../numbered-lines.ts';
import type { Proof, Result } from '../proof.ts';
import type { OwnServer } from '../../services/own-server.ts';
import { Elastic } from './elastic.ts';
import { judgeIndexed, lifeOf, recordsIn } from './indexed.ts';
import { growEvenly, judgeWatch, noteOf, planFor } from './outage.ts';
import type { Servers } from './servers.ts';
import { openClient } from './topics.ts';
import { until } from './waiting.ts';
import { Watch } from './watch.ts';

const TOPIC = 'prove-outage-index';
const STOPPED = 'connect ECONNREFUSED';
const TOO_MANY = 'HTTP 429';

const pipeline = (url: string): string => `name: prove-outage-index
sources:
  - file: { include: ['in/*.log'] }
topic: { name: ${TOPIC}, partitions: 4 }
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: ${TOPIC} }
`;

/** Elasticsearch is stopped under load, then refuses every request with 429, then is well again. */
export async function proveOutageOfIndex({ folder, lines }: Proof, servers: Servers): Promise<Result> {
  const { brokers } = await servers.shared('kafka');
  const server = await servers.own('elasticsearch', 'outage');
  const elastic = new Elastic(server.where.url);
  await elastic.createIndex(TOPIC, { n: { type: 'integer' } });
  const hub = await createHub(folder, pipeline(server.where.url), [`kafka: { brokers: ['${brokers}'] }`]);
  const client = openClient(brokers);
  const life = new HubProcess(hub, ['run']);
  const watch = new Watch(hub, life);
  try {
    const { outageMs, loadMs } = planFor(lines);
    const input = new NumberedLines(join(folder, 'in'), lines);
    await Promise.all([growEvenly(input, { lines, overMs: loadMs }), hurt(server, { elastic, outageMs, watch, life })]);
    const [delivered, stored] = await Promise.all([
      elastic.count(TOPIC),
      lifeOf(client, TOPIC).then((topic) => (topic === null ? 0 : recordsIn(topic))),
    ]);
    await until('all lines are indexed', async () => (await elastic.count(TOPIC)) >= lines, {
      hubs: [life],
      deadlineMs: 180_000,
    });
    await life.kill('SIGTERM');
    await watch.over();
    const topic = (await lifeOf(client, TOPIC))!;
    const { documents, lost, problems } = await judgeIndexed(elastic, TOPIC, { lives: [topic], lines });
    const seconds = Math.round(outageMs / 1000);
    return {
      expected: lines,
      rows: documents,
      lost,
      duplicated: Math.max(0, documents - lines),
      note: `stopped for ${seconds} s, 429 for ${seconds / 2} s, then ${delivered} of ${stored} were delivered; ${noteOf(watch)}`,
      problems: [...problems, ...judgeWatch(watch, [STOPPED, TOO_MANY])],
      unjudged: [],
    };
  } finally {
    await life.kill();
    await client.close();
    await server.down();
  }
}

async function hurt(
  server: OwnServer<'elasticsearch'>,
  { elastic, outageMs, watch, life }: { elastic: Elastic; outageMs: number; watch: Watch; life: HubProcess },
): Promise<void> {
  // What a start takes is no growth of the outage.
  await until('the first documents are there', async () => (await elastic.count(TOPIC)) > 0, {
    hubs: [life],
    deadlineMs: 60_000,
  });
  await sleep(outageMs / 4);
  await server.stop();
  await watch.growthDuring(sleep(outageMs));
  await server.startAgain();
  await limitRequests(elastic, '1kb');
  // The sink may rest for a minute before it tries again: the time counts from its first refusal on.
  await until('the status says what it waits for', () => Promise.resolve(saysTooMany(watch)), {
    hubs: [life],
    deadlineMs: 90_000,
  });
  await sleep(outageMs / 2);
  await limitRequests(elastic, null);
}

function saysTooMany({ reasons }: Watch): boolean {
  return [...reasons].some((reason) => reason.includes(TOO_MANY));
}

/** Requests above it are answered with 429. */
async function limitRequests(elastic: Elastic, limit: string | null): Promise<void> {
  const persistent = { 'network.breaker.inflight_requests.limit': limit };
  await elastic.request('PUT', '/_cluster/settings', { persistent });
}
