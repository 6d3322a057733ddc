import { join } from 'node:path';
import type { KafkaClient } from '../../../src/kafka/index.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaTool } from '../../services/kafka-tools.ts';
import { createHub, HubProcess } from '../hub.ts';
import type { Proof, Result } from '../proof.ts';
import { countPublished } from '../published.ts';
import { Elastic } from './elastic.ts';
import { judgeIndexed, lifeOf, recordsIn } from './indexed.ts';
import { committed, groupOf, isThrough } from './positions.ts';
import type { Servers } from './servers.ts';
import { openClient } from './topics.ts';
import { until } from './waiting.ts';

const PARTITIONS = 8;
const WITHIN_MS = 15_000;
/** Few enough for the sinks to keep up: what is measured is the takeover, not how fast a backlog is worked off. */
const LINES_PER_SECOND = 2000;
/** The topic has to grow until the killed hub is back. */
const SHORTEST_S = 60;
const STANDSTILL_MS = 60_000;

const sinks = ['elasticsearch', 'file'] as const;

/** Shorter rolls than by default: offsets are committed when files are published. */
const reading = (topic: string, url: string, out: string): string => `name: ${topic}
topic: ${topic}
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: ${topic} }
  - file: { path: '${out}', roll: { age: 1s } }
`;

const feeding = (topic: string, lines: number, seconds: number): string => `name: ${topic}-feed
sources:
  - generate: { count: ${lines}, rate: ${Math.ceil(lines / seconds)}, streams: ${4 * PARTITIONS} }
topic: { name: ${topic}, partitions: ${PARTITIONS} }
`;

/**
 * Two hubs with the same pipeline share a topic, a folder and an index while a third one fills the topic. One is killed: the other takes over; it comes
 * back: they share again.
 */
export function proveTakeover(proof: Proof, servers: Servers): Promise<Result> {
  return proveAbsence(proof, servers, 'takeover');
}

/** The same with one that stands still for a minute, and goes on in the midst of what it did. */
export function proveStandstill(proof: Proof, servers: Servers): Promise<Result> {
  return proveAbsence(proof, servers, 'standstill');
}

async function proveAbsence(
  { folder, lines }: Proof,
  servers: Servers,
  absence: 'takeover' | 'standstill',
): Promise<Result> {
  const [{ brokers }, { url }] = await Promise.all([servers.shared('kafka'), servers.shared('elasticsearch')]);
  const topic = `prove-${absence}`;
  const groups = sinks.map((sink) => groupOf(topic, sink));
  const elastic = new Elastic(url);
  await elastic.createIndex(topic, { n: { type: 'integer' } });
  const client = openClient(brokers);
  const seconds = Math.max(SHORTEST_S, lines / LINES_PER_SECOND);
  const out = join(folder, 'out');
  const settings = [`kafka: { brokers: ['${brokers}'] }`];
  const feed = await createHub(join(folder, 'feed'), feeding(topic, lines, seconds), settings);
  const [one, two] = [
    await createHub(join(folder, 'one'), reading(topic, url, out), settings),
    await createHub(join(folder, 'two'), reading(topic, url, out), settings),
  ];
  await client.createTopic({ name: topic, partitions: PARTITIONS, replicationFactor: 1 });
  const [victim, survivor] = [new HubProcess(one, ['run']), new HubProcess(two, ['run'])];
  const lives = [victim, survivor];
  try {
    const before = await untilShared(brokers, groups, lives);
    const feeder = new HubProcess(feed, ['run']);
    lives.push(feeder);
    await untilAllMove({ client, topic, groups }, lives);
    const over = absence === 'takeover' ? victim.kill() : sleep(STANDSTILL_MS);
    if (absence === 'standstill') victim.signal('SIGSTOP');
    const took = await untilAllMove({ client, topic, groups }, [feeder, survivor]);
    await over;
    const back = absence === 'takeover' ? new HubProcess(one, ['run']) : victim;
    if (absence === 'takeover') lives.push(back);
    else victim.signal('SIGCONT');
    const after = await untilShared(brokers, groups, [feeder, survivor, back]);
    await until('everything is indexed and published', () => isThrough(client, { topic, groups, records: lines }), {
      hubs: [feeder, survivor, back],
      deadlineMs: (seconds + 60) * 1000,
    });
    const codes = await Promise.all([feeder, survivor, back].map((life) => life.kill('SIGTERM')));
    return await judge({ client, topic, elastic, out, lines, before, took, after, codes });
  } finally {
    await Promise.all(lives.map((life) => life.kill()));
    await client.close();
  }
}

/** Waits until each sink's group has two members and both have partitions. Returns how many, by sink. */
async function untilShared(brokers: string, groups: readonly string[], hubs: readonly HubProcess[]): Promise<string> {
  let found: readonly (readonly number[])[] = [];
  await until(
    'both hubs have partitions',
    async () => {
      found = await Promise.all(groups.map((group) => partitionsOfMembers(brokers, group)));
      return found.every(
        (counts) => counts.length === 2 && counts.every((count) => count > 0) && sum(counts) === PARTITIONS,
      );
    },
    { hubs, deadlineMs: 60_000, everyMs: 500 },
  );
  return sinks.map((sink, index) => `${sink} ${found[index]!.join('+')}`).join(', ');
}

/** As Kafka's own tool prints it. */
async function partitionsOfMembers(brokers: string, group: string): Promise<readonly number[]> {
  const { stdout } = await kafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
    '--bootstrap-server',
    brokers,
    '--describe',
    '--members',
    '--group',
    group,
  ]);
  const [titles, ...rows] = stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([first]) => first === 'GROUP' || first === group);
  const column = (titles ?? []).indexOf('#PARTITIONS');
  return rows.map((row) => Number(row.at(column - titles!.length)));
}

/** Waits until the group of each sink has committed more of every partition than now. Returns the milliseconds that took, by sink. */
async function untilAllMove(
  { client, topic, groups }: { client: KafkaClient; topic: string; groups: readonly string[] },
  hubs: readonly HubProcess[],
): Promise<readonly number[]> {
  const started = performance.now();
  return Promise.all(
    groups.map(async (group) => {
      const atKill = await committed(client, group, topic);
      await until(
        `${group} goes on in every partition`,
        async () => {
          const now = await committed(client, group, topic);
          return Array.from({ length: PARTITIONS }).every(
            (_, partition) => (now[partition] ?? 0) > (atKill[partition] ?? 0),
          );
        },
        { hubs, deadlineMs: 60_000, everyMs: 50 },
      );
      return performance.now() - started;
    }),
  );
}

interface Judged {
  readonly client: KafkaClient;
  readonly topic: string;
  readonly elastic: Elastic;
  /** The folder that both hubs publish in. */
  readonly out: string;
  readonly lines: number;
  readonly before: string;
  /** Milliseconds, by sink. */
  readonly took: readonly number[];
  readonly after: string;
  /** The exit codes of the hubs that were not killed. */
  readonly codes: readonly (number | null)[];
}

async function judge({ client, topic, elastic, out, lines, before, took, after, codes }: Judged): Promise<Result> {
  const life = (await lifeOf(client, topic))!;
  const stored = recordsIn(life);
  const indexed = await judgeIndexed(elastic, topic, { lives: [life], lines });
  const files = await countPublished(out, lines);
  const times = sinks.map((sink, index) => `${sink} ${(took[index]! / 1000).toFixed(1)} s`).join(', ');
  return {
    expected: lines,
    rows: indexed.documents,
    lost: indexed.lost + files.lost,
    duplicated: Math.max(0, indexed.documents - stored) + Math.max(0, files.rows - stored),
    note: `partitions of the hubs: ${before}; taken over in ${times}; when it was back: ${after}; ${files.rows} lines in the shared folder`,
    problems: [
      ...indexed.problems,
      ...(took.some((ms) => ms > WITHIN_MS) ? [`taking over took longer than ${WITHIN_MS / 1000} s`] : []),
      ...(stored === lines ? [] : [`${stored} records in the topic`]),
      ...(files.strange > 0 ? [`${files.strange} torn or foreign lines in the files`] : []),
      ...(codes.every((code) => code === 0) ? [] : [`the hubs ended with ${codes.join(', ')}`]),
    ],
    unjudged: [],
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
