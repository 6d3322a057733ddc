import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy } from '../../../src/testing/index.ts';
import { createHub, HubProcess } from '../hub.ts';
import { Elastic } from '../kafka/elastic.ts';
import { judgeIndexed, lifeOf, recordsIn } from '../kafka/indexed.ts';
import { growEvenly, judgeWatch, noteOf } from '../kafka/outage.ts';
import type { Servers } from '../kafka/servers.ts';
import { openClient } from '../kafka/topics.ts';
import { until } from '../kafka/waiting.ts';
import { Watch } from '../kafka/watch.ts';
import { NumberedLines } from '../numbered-lines.ts';
import type { Proof, Result } from '../proof.ts';

const TOPIC = 'prove-partitioned';
const LINES_PER_SECOND = 2000;
/** Each link is cut for a third of the load, which goes on before and between. */
const PHASES = 3;
const WITHIN_MS = 30_000;

const pipeline = (url: string): string => `name: ${TOPIC}
sources:
  - file: { include: ['in/*.log'] }
topic: { name: ${TOPIC}, partitions: 4 }
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: ${TOPIC} }
`;

/** The links to the broker and to the index are silent one after the other: nothing is refused or reset, no byte goes on. */
export async function provePartitioned({ folder, lines }: Proof, servers: Servers): Promise<Result> {
  // Nothing listens at the targets until the servers say where they are.
  const [toBroker, toIndex] = [await FaultProxy.start(1), await FaultProxy.start(1)];
  const [broker, { url }] = await Promise.all([
    servers.own('kafka', 'partitioned', { 'advertised.listeners': `PLAINTEXT://${toBroker.address}` }),
    servers.shared('elasticsearch'),
  ]);
  toBroker.targetPort = Number(broker.where.brokers.split(':')[1]);
  toIndex.targetPort = Number(new URL(url).port);
  const elastic = new Elastic(url);
  await elastic.createIndex(TOPIC, { n: { type: 'integer' } });
  const hub = await createHub(folder, pipeline(`http://${toIndex.address}`), [
    `kafka: { brokers: ['${toBroker.address}'] }`,
  ]);
  const client = openClient(toBroker.address);
  const life = new HubProcess(hub, ['run']);
  const watch = new Watch(hub, life);
  try {
    const loadMs = (lines / LINES_PER_SECOND) * 1000;
    const outageMs = loadMs / PHASES;
    const input = new NumberedLines(join(folder, 'in'), lines);
    const indexed = (count: number, deadlineMs: number): Promise<void> =>
      until(`${count} lines are indexed`, async () => (await elastic.count(TOPIC)) >= count, {
        hubs: [life],
        deadlineMs,
      });
    const took: number[] = [];
    const cutEach = async (): Promise<void> => {
      await indexed(1, 60_000);
      for (const link of [toBroker, toIndex]) {
        await sleep(outageMs / 2);
        link.hold();
        await watch.growthDuring(sleep(outageMs));
        const [healed, written] = [performance.now(), input.written];
        link.release();
        await indexed(written, 180_000);
        took.push(performance.now() - healed);
      }
    };
    await Promise.all([growEvenly(input, { lines, overMs: loadMs }), cutEach()]);
    await indexed(lines, 180_000);
    await life.kill('SIGTERM');
    await watch.over();
    const topic = (await lifeOf(client, TOPIC))!;
    const { documents, lost, problems } = await judgeIndexed(elastic, TOPIC, { lives: [topic], lines });
    const seconds = took.map((ms) => `${(ms / 1000).toFixed(1)} s`);
    return {
      expected: lines,
      rows: documents,
      lost,
      duplicated: Math.max(0, recordsIn(topic) - lines),
      note: `each silent for ${Math.round(outageMs / 1000)} s; what was written meanwhile was indexed ${seconds.join(' and ')} after; ${noteOf(watch)}`,
      problems: [
        ...problems,
        ...judgeWatch(watch, []),
        ...(took.some((ms) => ms > WITHIN_MS) ? [`going on took longer than ${WITHIN_MS / 1000} s`] : []),
        ...(watch.reasons.size < 2 ? ['the status did not say of both links that it waits'] : []),
      ],
      unjudged: [],
    };
  } finally {
    await life.kill();
    await client.close();
    toBroker.close();
    toIndex.close();
    await broker.down();
  }
}
