import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaClient } from '../../../src/kafka/index.ts';
import { Ledger, type LedgerCount } from '../../../src/testing/index.ts';
import type { OwnServer } from '../../services/own-server.ts';
import { createHub, HubProcess, type Hub } from '../hub.ts';
import type { Proof, Result } from '../proof.ts';
import { countPublished } from '../published.ts';
import { Growth } from './growth.ts';
import { groupOf, isThrough } from './positions.ts';
import type { Servers } from './servers.ts';
import { openClient, readAll } from './topics.ts';
import { until } from './waiting.ts';
import { statusOf } from './watch.ts';

const TOPIC = 'prove-leaders';
const PARTITIONS = 6;
const STREAMS = 12;
const KILL_EVERY_MS = 20_000;
/** Three minutes for a million lines. */
const LINES_PER_SECOND = 5500;
const SHORTEST_S = 40;

const pipeline = (records: number, rate: number): string => `name: prove-leaders
sources:
  - generate: { count: ${records}, rate: ${rate}, streams: ${STREAMS} }
topic: { name: ${TOPIC}, partitions: ${PARTITIONS}, replication_factor: 3, config: { min.insync.replicas: '2' } }
sinks:
  - file: { path: out }
`;

/**
 * Three brokers, and every 20 s the leader of some partition is killed and started again, under a hub that writes and reads at an even rate and that
 * nobody restarts. Judged by the topic, read back, and by the files.
 */
export async function proveLeaders({ folder, lines, random }: Proof, servers: Servers): Promise<Result> {
  const cluster = await servers.own('kafka-cluster', 'leaders');
  const { brokers } = cluster.where;
  const client = openClient(brokers);
  const seconds = Math.max(SHORTEST_S, lines / LINES_PER_SECOND);
  const settings = [
    `kafka: { brokers: [${brokers
      .split(',')
      .map((address) => `'${address}'`)
      .join(', ')}] }`,
  ];
  const hub = await createHub(folder, pipeline(lines, Math.ceil(lines / seconds)), settings);
  const life = new HubProcess(hub, ['run']);
  const written = new Growth(0);
  const watching = watchGrowth(hub, life, written);
  try {
    await until('the first records are written', () => Promise.resolve(written.total > 0), {
      hubs: [life],
      deadlineMs: 60_000,
    });
    const killed = await killLeaders({
      cluster,
      client,
      random,
      overMs: seconds * 1000,
      goesOn: () => written.total < lines,
    });
    await until(
      'everything is written and read',
      () => isThrough(client, { topic: TOPIC, groups: [groupOf(TOPIC, 'file')], records: lines }),
      { hubs: [life], deadlineMs: 120_000 },
    );
    const restarts = (await statusOf(hub))?.restarts ?? -1;
    const code = await life.kill('SIGTERM');
    await watching;
    const topic = await judgeTopic(client, lines);
    const files = await countPublished(join(folder, 'out'), lines);
    return {
      expected: lines,
      rows: topic.rows,
      lost: topic.lost + files.lost,
      duplicated: topic.duplicated + files.duplicated,
      note: `leaders killed: ${killed.map((broker) => `broker-${broker}`).join(', ')}; ${Math.round(seconds)} s of load; longest time without an acknowledgement ${(written.longestRestMs / 1000).toFixed(1)} s; ${files.rows} lines in the files`,
      problems: [
        ...(killed.length === 0 ? ['no leader was killed'] : []),
        ...(topic.strange + files.strange > 0
          ? [`${topic.strange} torn or foreign records in the topic, ${files.strange} in the files`]
          : []),
        ...(topic.reordered > 0 ? [`${topic.reordered} records came after a later one of their partition`] : []),
        ...(restarts === 0 ? [] : [`the pipeline was started again ${restarts} times`]),
        ...(code === 0 ? [] : [`the hub ended with ${code}:\n${life.output.slice(-3000)}`]),
      ],
      unjudged: [],
    };
  } finally {
    await life.kill();
    await client.close();
    await cluster.down();
  }
}

interface Killing {
  readonly cluster: OwnServer<'kafka-cluster'>;
  readonly client: KafkaClient;
  readonly random: () => number;
  readonly overMs: number;
  readonly goesOn: () => boolean;
}

/** Returns the numbers of the brokers that were killed. All run again. */
async function killLeaders({ cluster, client, random, overMs, goesOn }: Killing): Promise<readonly number[]> {
  const started = performance.now();
  const killed: number[] = [];
  for (let atMs = KILL_EVERY_MS / 2; atMs < overMs; atMs += KILL_EVERY_MS) {
    await sleep(Math.max(0, started + atMs - performance.now()));
    if (!goesOn()) break;
    const [topic] = await client.topics([TOPIC]);
    const { leader } = topic!.partitions[Math.floor(random() * PARTITIONS)]!;
    // None at this moment: it is being elected.
    if (leader < 0) continue;
    await cluster.kill(`broker-${leader}`);
    killed.push(leader);
    await cluster.startAgain(`broker-${leader}`);
  }
  return killed;
}

/** What the hub says that brokers acknowledged, until it ends. */
async function watchGrowth(hub: Hub, life: HubProcess, written: Growth): Promise<void> {
  while (life.alive) {
    const status = await statusOf(hub);
    if (status !== null) written.see(status.totals.recordsIn);
    await sleep(50);
  }
}

/** A stream stays in its partition, and numbers of a later emit are higher: within a partition they have to rise. */
async function judgeTopic(client: KafkaClient, lines: number): Promise<LedgerCount> {
  let current = 0;
  const ledger = new Ledger({ expected: lines, streamOf: () => current });
  await readAll(client, TOPIC, (value, partition) => {
    current = partition;
    ledger.add(value);
  });
  return ledger.count();
}
