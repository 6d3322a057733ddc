import { join } from 'node:path';
import type { KafkaClient } from '../../../src/kafka/index.ts';
import { createHub, drain, HubProcess, type Hub } from '../hub.ts';
import { NumberedLines } from '../numbered-lines.ts';
import { moments, type Proof, type Result } from '../proof.ts';
import { judgeSegments, verdictOf } from '../segments.ts';
import { Elastic } from './elastic.ts';
import { Growth } from './growth.ts';
import { judgeIndexed, lifeOf, recordsIn } from './indexed.ts';
import { judgeByKafkasTools } from './kafkas-tools.ts';
import type { Servers } from './servers.ts';
import { openClient, readAll } from './topics.ts';
import { until } from './waiting.ts';

const TOPIC = 'prove-lines';
const INDEX = 'prove-lines';
const PARTITIONS = 4;
const BUFFER_MIB = 8;
/** Source and sink have half of the buffers each. */
const IN_FLIGHT_BYTES = (BUFFER_MIB / 2) * 1024 * 1024;
/** Checkpoints are saved at the latest after so many acknowledged bytes, or so long. */
const SAVE_WITHIN_BYTES = 16 * 1024 * 1024;
const SAVE_WITHIN_MS = 100;

const pipeline = (url: string): string => `name: prove
sources:
  - file: { include: ['in/*.log'] }
topic: { name: ${TOPIC}, partitions: ${PARTITIONS} }
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: ${INDEX} }
    batch: { max_records: 5000 }
`;

/**
 * Numbered lines from files through Kafka into Elasticsearch, under SIGKILLs. Judged by the topic itself, read back, by every document of the index, and by
 * Kafka's own tools.
 */
export async function proveLines(proof: Proof, servers: Servers): Promise<Result> {
  const { folder, lines } = proof;
  const [{ brokers }, { url }] = await Promise.all([servers.shared('kafka'), servers.shared('elasticsearch')]);
  const elastic = new Elastic(url);
  await elastic.createIndex(INDEX, { n: { type: 'integer' } });
  const hub = await createHub(folder, pipeline(url), [
    `kafka: { brokers: ['${brokers}'] }`,
    `buffer_size: ${BUFFER_MIB}MiB`,
  ]);
  const client = openClient(brokers);
  try {
    const stops = moments(proof, lines);
    const input = new NumberedLines(join(folder, 'in'), lines);
    const lineBytes = input.totalBytes / lines;
    const bounds: number[] = [];
    for (const [index, moment] of stops.entries()) {
      await input.growTo(stops[index + 1] ?? moment);
      bounds.push(boundOf(await killAt(hub, client, { elastic, records: moment }), lineBytes));
    }
    await input.growTo(lines);
    await drain(hub);
    return await judge({ client, elastic, servers, brokers, lines, bounds });
  } finally {
    await client.close();
  }
}

/** W of one kill: the bytes in flight, and those acknowledged since the last saved checkpoint; no more than what was stored in that life. */
function boundOf(growth: Growth, lineBytes: number): number {
  const acknowledged = Math.min(SAVE_WITHIN_BYTES, growth.mostWithin(SAVE_WITHIN_MS) * lineBytes);
  return Math.ceil(Math.min(IN_FLIGHT_BYTES + acknowledged, growth.total * lineBytes));
}

/** Runs the hub until topic and index together have moved so far, then kills it. Returns what was stored while it ran. */
async function killAt(
  hub: Hub,
  client: KafkaClient,
  { elastic, records }: { elastic: Elastic; records: number },
): Promise<Growth> {
  const life = new HubProcess(hub, ['run']);
  const growth = new Growth(await storedIn(client));
  await until(
    `topic and index together have ${records} records`,
    async () => {
      const [stored, indexed] = await Promise.all([storedIn(client), indexedBy(elastic)]);
      growth.see(stored);
      // Half of it is what the topic has, half what is indexed.
      return (stored + Math.min(stored, indexed)) / 2 >= records;
    },
    { hubs: [life], deadlineMs: 180_000, everyMs: 10 },
  );
  await life.kill();
  growth.see(await storedIn(client));
  return growth;
}

async function storedIn(client: KafkaClient): Promise<number> {
  const life = await lifeOf(client, TOPIC);
  return life === null ? 0 : recordsIn(life);
}

/** Counted by the node since its start, tries again included: good enough for a moment to kill at. */
async function indexedBy(elastic: Elastic): Promise<number> {
  const stats = (await elastic.request('GET', `/${INDEX}/_stats/indexing`)) as {
    _all: { primaries: { indexing: { index_total: number } } };
  };
  return stats._all.primaries.indexing.index_total;
}

interface Judged {
  readonly client: KafkaClient;
  readonly elastic: Elastic;
  readonly servers: Servers;
  readonly brokers: string;
  readonly lines: number;
  /** Of each life that was killed: the lines that its end may have produced again, in bytes. */
  readonly bounds: readonly number[];
}

async function judge({ client, elastic, servers, brokers, lines, bounds }: Judged): Promise<Result> {
  const life = (await lifeOf(client, TOPIC))!;
  const stored = recordsIn(life);
  const { strange, twice, twiceBytes } = await judgeTopic(client, lines);
  const { documents, lost, problems } = await judgeIndexed(elastic, INDEX, { lives: [life], lines });
  const bound = bounds.reduce((sum, bytes) => sum + bytes, 0);
  const group = 'sluice.default.prove.sink.elasticsearch';
  const tools = await judgeByKafkasTools({ brokers, topic: TOPIC, group, ends: life.ends });
  const segments = verdictOf(await judgeSegments(await servers.kafkaData(), TOPIC), stored);
  const repeated = `${twice} lines (${twiceBytes} bytes) twice, W = ${bound} bytes`;
  return {
    expected: lines,
    rows: documents,
    lost,
    duplicated: Math.max(0, documents - stored),
    note: `${bounds.length} kills; ${stored} records in the topic, ${repeated}; a document for each offset; ${tools.note}; ${segments.note}`,
    problems: [
      ...(strange > 0 ? [`${strange} torn or foreign records in the topic`] : []),
      ...(twiceBytes > bound ? [`${repeated}: more than that`] : []),
      ...problems,
      ...tools.problems,
      ...segments.problems,
    ],
    unjudged: [...tools.unjudged, ...segments.unjudged],
  };
}

async function judgeTopic(
  client: KafkaClient,
  lines: number,
): Promise<{ strange: number; twice: number; twiceBytes: number }> {
  const seen = new Uint8Array(lines);
  let [strange, twice, twiceBytes] = [0, 0, 0];
  await readAll(client, TOPIC, (value) => {
    const number = numberOf(value.toString());
    if (number === null || number >= lines) strange++;
    else if (seen[number] === 0) seen[number] = 1;
    else {
      twice++;
      twiceBytes += value.length + 1;
    }
  });
  return { strange, twice, twiceBytes };
}

function numberOf(line: string): number | null {
  const match = /^\{"n":(\d+),/.exec(line);
  return match === null ? null : Number(match[1]);
}
