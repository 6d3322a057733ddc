import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHub, HubProcess, type Hub } from '../hub.ts';
import { Elastic } from '../kafka/elastic.ts';
import type { Servers } from '../kafka/servers.ts';
import { openClient, readAll } from '../kafka/topics.ts';
import type { Proof, Result } from '../proof.ts';

const NAME = 'prove-poison';
/** One in so many is refused. */
const POISON_EVERY = 10;
const GROWTH_BYTES = 50e6;
const SAMPLE_MS = 250;
const LINES_AT_ONCE = 10_000;

const pipeline = (url: string): string => `name: ${NAME}
sources:
  - file: { include: ['in/*.log'] }
topic: { name: ${NAME}, partitions: 4 }
dead_letter: { max_rate: off }
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: ${NAME} }
    batch: { max_records: 5000 }
`;

/** Every tenth document is refused by the index until its mapping is mended: all of them are dead letters then, a replay brings them in, and a second one changes nothing. */
export async function provePoison({ folder, lines }: Proof, servers: Servers): Promise<Result> {
  const [{ brokers }, { url }] = await Promise.all([servers.shared('kafka'), servers.shared('elasticsearch')]);
  const elastic = new Elastic(url);
  const settings = { number_of_shards: 1, number_of_replicas: 0, refresh_interval: '10s' };
  const mappings = { dynamic: 'strict', properties: { n: { type: 'integer' } } };
  await elastic.request('PUT', `/${NAME}`, { settings, mappings });
  const hub = await createHub(folder, pipeline(url), [`kafka: { brokers: ['${brokers}'] }`]);
  await writeLines(join(folder, 'in'), lines);
  const poison = Math.ceil(lines / POISON_EVERY);

  const first = await drained(hub);
  const behind = await lagOf(hub);
  const letters = await lettersIn(brokers, lines);
  const before = await elastic.count(NAME);

  await elastic.request('PUT', `/${NAME}/_mapping`, { properties: { poison: { type: 'boolean' } } });
  const replay = await timed(hub, ['dlq', 'replay', NAME]);
  const seen = new Uint8Array(lines);
  let documents = 0;
  for await (const { source } of elastic.documents(NAME, ['n'])) {
    documents++;
    seen[Number(source.n)] = 1;
  }
  const changes = await changesOf(elastic);
  const again = await timed(hub, ['dlq', 'replay', NAME]);
  const lost = seen.filter((there) => there === 0).length;
  return {
    expected: lines,
    rows: documents,
    lost,
    duplicated: documents - (lines - lost),
    note: `${letters.distinct} of ${lines} refused; memory of the worker grew by ${Math.round(first.growth / 1e6)} MB; replayed in ${seconds(replay)}, again in ${seconds(again)}: nothing changed`,
    problems: [
      ...first.problems,
      ...(behind === 0 ? [] : [`the sink is ${behind} records behind the end of the topic`]),
      ...(letters.distinct === poison && letters.strange === 0
        ? []
        : [`${letters.distinct} of ${poison} are dead letters, and ${letters.strange} others`]),
      ...(before === lines - poison ? [] : [`${before} documents before the replay, not ${lines - poison}`]),
      ...[replay, again].flatMap(({ code, output }) =>
        code === 0 ? [] : [`dlq replay ended with ${code}: ${output}`],
      ),
      ...((await changesOf(elastic)) === changes ? [] : ['the second replay changed the index']),
    ],
    unjudged: [],
  };
}

async function writeLines(folder: string, lines: number): Promise<void> {
  await mkdir(folder);
  const file = await open(join(folder, 'a.log'), 'w');
  try {
    for (let from = 0; from < lines; from += LINES_AT_ONCE) {
      const count = Math.min(LINES_AT_ONCE, lines - from);
      const texts = Array.from({ length: count }, (_, at) => lineOf(from + at));
      await file.writeFile(texts.join(''));
    }
  } finally {
    await file.close();
  }
}

function lineOf(n: number): string {
  return n % POISON_EVERY === 0 ? `{"n":${n},"poison":true}\n` : `{"n":${n}}\n`;
}

/** Runs to the end of the input. `growth`: what the worker's memory came to in the second half of the time, more than in the first. */
async function drained(hub: Hub): Promise<{ growth: number; problems: readonly string[] }> {
  const life = new HubProcess(hub, ['run', '--once', '--timeout', '20m']);
  const samples: number[] = [];
  while (life.alive) {
    const bytes = await workerMemory(hub);
    if (bytes !== null) samples.push(bytes);
    await sleep(SAMPLE_MS);
  }
  const { code } = await life.ended;
  const middle = Math.ceil(samples.length / 2);
  const growth = Math.max(0, ...samples.slice(middle)) - Math.max(0, ...samples.slice(0, middle));
  return {
    growth: Math.max(0, growth),
    problems: [
      // Everything is delivered, except for dead letters.
      ...(code === 3 ? [] : [`run --once ended with ${code}: ${life.output.slice(-1000)}`]),
      ...(growth < GROWTH_BYTES ? [] : [`the memory of the worker grew by ${Math.round(growth / 1e6)} MB`]),
    ],
  };
}

/** Heap and external memory in bytes; null while the hub does not tell. */
async function workerMemory({ apiPort }: Hub): Promise<number | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${apiPort}/metrics`, { signal: AbortSignal.timeout(2000) });
    const [, bytes] = /^sluice_worker_memory_bytes\{[^}]*\} (\S+)$/m.exec(await response.text()) ?? [];
    return bytes === undefined ? null : Number(bytes);
  } catch {
    return null;
  }
}

async function lagOf(hub: Hub): Promise<number> {
  const { output } = await timed(hub, ['offsets', 'get', NAME, '--json']);
  const { sinks } = JSON.parse(output) as { sinks: { lag: number }[] };
  return sinks.reduce((sum, { lag }) => sum + lag, 0);
}

/** A crash may write a dead letter twice: what counts is whose they are. */
async function lettersIn(brokers: string, lines: number): Promise<{ distinct: number; strange: number }> {
  const client = openClient(brokers);
  const seen = new Uint8Array(lines);
  let strange = 0;
  try {
    await readAll(client, `${NAME}.dead`, (value) => {
      const [, number] = /^\{"n":(\d+),"poison":true\}$/.exec(value.toString()) ?? [];
      if (number === undefined) strange++;
      else seen[Number(number)] = 1;
    });
  } finally {
    await client.close();
  }
  return { distinct: seen.reduce((sum, there) => sum + there, 0), strange };
}

/** Counts every change to a document there ever was. */
async function changesOf(elastic: Elastic): Promise<number> {
  const { indices } = (await elastic.request('GET', `/${NAME}/_stats?level=shards`)) as {
    indices: Record<string, { shards: Record<string, { seq_no: { max_seq_no: number } }[]> }>;
  };
  return indices[NAME]!.shards['0']![0]!.seq_no.max_seq_no;
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly ms: number;
}

async function timed(hub: Hub, parameters: readonly string[]): Promise<Ended> {
  const started = performance.now();
  const life = new HubProcess(hub, parameters);
  const { code } = await life.ended;
  return { code, output: life.output, ms: performance.now() - started };
}

function seconds({ ms }: Ended): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
