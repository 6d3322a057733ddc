import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaClient } from '../../../src/kafka/index.ts';
import { createHub, drain, HubProcess, type Hub } from '../hub.ts';
import { NumberedLines } from '../numbered-lines.ts';
import { moments, type Proof, type Result } from '../proof.ts';
import { join } from 'node:path';
import { judgeByKafkasTools } from './kafkas-tools.ts';
import { Elastic } from './elastic.ts';
import type { Servers } from './servers.ts';
import { endsOf, openClient, readAll } from './topics.ts';

const TOPIC = 'prove-lines';
const INDEX = 'prove-lines';
const PARTITIONS = 4;
const BUFFER_BYTES = 16 * 1024 * 1024;
/** `docs/delivery`: checkpoints are saved at the latest after so many acknowledged bytes. */
const SAVE_WITHIN_BYTES = 16 * 1024 * 1024;

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
    `buffer_size: ${BUFFER_BYTES / 1024 / 1024}MiB`,
  ]);
  const client = openClient(brokers);
  try {
    const stops = moments(proof, lines);
    const input = new NumberedLines(join(folder, 'in'), lines);
    for (const [index, moment] of stops.entries()) {
      await input.growTo(stops[index + 1] ?? moment);
      await killAt(hub, client, { elastic, records: moment });
    }
    await input.growTo(lines);
    await drain(hub);
    return await judge({ client, elastic, brokers, lines, kills: stops.length, lineBytes: input.totalBytes / lines });
  } finally {
    await client.close();
  }
}

/** Runs the hub until topic and index together have moved so far, then kills it. */
async function killAt(
  hub: Hub,
  client: KafkaClient,
  { elastic, records }: { elastic: Elastic; records: number },
): Promise<void> {
  const life = new HubProcess(hub, ['run']);
  const deadline = Date.now() + 180_000;
  while ((await progress(client, elastic)) < records) {
    if (!life.alive) throw new Error(`the hub ended by itself:\n${life.output}`);
    if (Date.now() > deadline) {
      await life.kill();
      throw new Error(`the hub does not come to ${records} records:\n${life.output}`);
    }
    await sleep(10);
  }
  await life.kill();
}

/** Half of it is what the topic has, half what is indexed. */
async function progress(client: KafkaClient, elastic: Elastic): Promise<number> {
  const [topics, stats] = await Promise.all([
    client.topics([TOPIC]),
    elastic.request('GET', `/${INDEX}/_stats/indexing`) as Promise<{
      _all: { primaries: { indexing: { index_total: number } } };
    }>,
  ]);
  if (topics.length === 0) return 0;
  const stored = (await endsOf(client, TOPIC)).reduce((sum, end) => sum + end, 0);
  // Counted by the node since its start, tries again included: good enough for a moment to kill at.
  return (stored + Math.min(stored, stats._all.primaries.indexing.index_total)) / 2;
}

interface Judged {
  readonly client: KafkaClient;
  readonly elastic: Elastic;
  readonly brokers: string;
  readonly lines: number;
  readonly kills: number;
  readonly lineBytes: number;
}

async function judge({ client, elastic, brokers, lines, kills, lineBytes }: Judged): Promise<Result> {
  const inTopic = new Uint16Array(lines);
  let [stored, strange] = [0, 0];
  await readAll(client, TOPIC, (value) => {
    stored++;
    const number = numberOf(value.toString());
    if (number === null || number >= lines) strange++;
    else inTopic[number]!++;
  });
  const [{ incarnation } = { incarnation: '' }] = await client.topics([TOPIC]);
  const ends = await endsOf(client, TOPIC);
  const { documents, foreign, missingOffsets, lostLines } = await judgeDocuments(elastic, { incarnation, ends, lines });
  const twice = stored - strange - inTopic.filter((count) => count > 0).length;
  const bound = Math.ceil((kills * (BUFFER_BYTES + SAVE_WITHIN_BYTES)) / lineBytes);
  const tools = await judgeByKafkasTools({
    brokers,
    topic: TOPIC,
    group: 'sluice.default.prove.sink.elasticsearch',
    ends,
  });
  return {
    expected: lines,
    rows: documents,
    lost: lostLines,
    duplicated: Math.max(0, documents - stored),
    note: `${kills} kills; ${stored} records in the topic, ${twice} lines twice (bound W: ${bound}); one document for each offset; ${tools.note}`,
    problems: [
      ...(strange > 0 ? [`${strange} torn or foreign records in the topic`] : []),
      ...(foreign > 0 ? [`${foreign} documents with ids of no offset`] : []),
      ...(missingOffsets > 0 ? [`${missingOffsets} offsets without a document`] : []),
      ...(twice > bound ? [`${twice} lines were produced twice, more than W = ${bound}`] : []),
      ...tools.problems,
    ],
    unjudged: tools.unjudged,
  };
}

/** Every document against the offsets of the topic and the numbers of the lines. */
async function judgeDocuments(
  elastic: Elastic,
  { incarnation, ends, lines }: { incarnation: string; ends: readonly number[]; lines: number },
): Promise<{ documents: number; foreign: number; missingOffsets: number; lostLines: number }> {
  const seen = ends.map((end) => new Uint8Array(end));
  const indexed = new Uint8Array(lines);
  let [documents, foreign] = [0, 0];
  for await (const { id, source } of elastic.documents(INDEX, ['n'])) {
    documents++;
    const [topic, of, partition, offset] = id.split('+');
    const offsets = seen[Number(partition)];
    const isOurs = topic === TOPIC && of === incarnation && offsets !== undefined && Number(offset) < offsets.length;
    if (isOurs) offsets[Number(offset)] = 1;
    else foreign++;
    indexed[source.n as number] = 1;
  }
  const missingOffsets = seen.reduce((sum, offsets) => sum + offsets.filter((mark) => mark === 0).length, 0);
  return { documents, foreign, missingOffsets, lostLines: indexed.filter((mark) => mark === 0).length };
}

function numberOf(line: string): number | null {
  const match = /^\{"n":(\d+),/.exec(line);
  return match === null ? null : Number(match[1]);
}
