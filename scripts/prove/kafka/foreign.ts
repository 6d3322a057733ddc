import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { kafkaTool } from '../../services/kafka-tools.ts';
import { createHub, HubProcess } from '../hub.ts';
import type { Proof, Result } from '../proof.ts';
import { judgeSegments, verdictOf } from '../segments.ts';
import { Elastic } from './elastic.ts';
import { judgeIndexed, lifeOf, recordsIn } from './indexed.ts';
import type { Servers } from './servers.ts';
import { openClient } from './topics.ts';
import { until } from './waiting.ts';

const TOPIC = 'prove-foreign';
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

const pipeline = (url: string): string => `name: prove-foreign
topic: ${TOPIC}
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: ${TOPIC} }
`;

/** What Kafka's own producer and kcat write, in every codec, reaches Elasticsearch through a pipeline that only reads the topic. */
export async function proveForeign({ folder, lines }: Proof, servers: Servers): Promise<Result> {
  const [{ brokers }, { url }] = await Promise.all([servers.shared('kafka'), servers.shared('elasticsearch')]);
  const elastic = new Elastic(url);
  await elastic.createIndex(TOPIC, { n: { type: 'integer' } });
  const client = openClient(brokers);
  const hub = await createHub(folder, pipeline(url), [`kafka: { brokers: ['${brokers}'] }`]);
  try {
    await client.createTopic({ name: TOPIC, partitions: 4, replicationFactor: 1 });
    const life = new HubProcess(hub, ['run']);
    const written = await writeAll(brokers, Math.ceil(lines / CODECS.length / 2));
    const expected = written.lines;
    await until('all of it is indexed', async () => (await elastic.count(TOPIC)) >= expected, {
      hubs: [life],
      deadlineMs: 120_000,
    });
    await life.kill('SIGTERM');
    const topic = (await lifeOf(client, TOPIC))!;
    const { documents, lost, problems } = await judgeIndexed(elastic, TOPIC, { lives: [topic], lines: expected });
    const verdict = await judgeSegments(await servers.kafkaData(), TOPIC);
    const codecs = [...(verdict?.codecs ?? [])].sort();
    const segments = verdictOf(verdict, expected);
    return {
      expected,
      rows: documents,
      lost,
      duplicated: Math.max(0, documents - recordsIn(topic)),
      note: `by ${written.by.join(' and ')}; batches of ${codecs.join(', ')}; ${segments.note}`,
      problems: [
        ...problems,
        ...segments.problems,
        ...(verdict === null || codecs.length === CODECS.length ? [] : ['not all codecs are in the topic']),
      ],
      unjudged: [...segments.unjudged, ...(written.by.length === 2 ? [] : ['kcat is not installed'])],
    };
  } finally {
    await client.close();
  }
}

/** So many lines by each producer in each codec. */
async function writeAll(brokers: string, lines: number): Promise<{ lines: number; by: string[] }> {
  let next = 0;
  const text = (): string => {
    const numbers = Array.from({ length: lines }, () => next++);
    return numbers.map((n) => `{"n":${n},"from":"elsewhere"}\n`).join('');
  };
  for (const codec of CODECS) await byConsoleProducer(brokers, codec, text());
  const console = next;
  for (const codec of CODECS) if (!(await byKcat(brokers, codec, text()))) return { lines: console, by: ['Java'] };
  return { lines: next, by: ['Java', 'kcat'] };
}

async function byConsoleProducer(brokers: string, codec: string, text: string): Promise<void> {
  await kafkaTool(
    'org.apache.kafka.tools.ConsoleProducer',
    ['--bootstrap-server', brokers, '--topic', TOPIC, '--compression-codec', codec],
    text,
  );
}

/** False when it is not installed. */
async function byKcat(brokers: string, codec: string, text: string): Promise<boolean> {
  const child = spawn('kcat', ['-b', brokers, '-P', '-t', TOPIC, '-z', codec], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  // It may have ended by then, or not be there.
  child.stdin.on('error', () => undefined).end(text);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`kcat ended with ${code}: ${said}`);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
