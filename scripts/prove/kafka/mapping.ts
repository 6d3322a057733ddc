import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHub, HubProcess, type Hub } from '../hub.ts';
import type { Proof, Result } from '../proof.ts';
import { Elastic } from './elastic.ts';
import type { Servers } from './servers.ts';

const INDEX = 'prove-mapping';
const DOCUMENTS = 100;
const BAD = 57;

const pipeline = (url: string): string => `name: prove-mapping
sources:
  - file: { include: ['in/*.log'] }
topic: { name: ${INDEX}, partitions: 1 }
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: ${INDEX} }
`;

/** One document among 99 good ones does not fit the mapping: they are indexed once, it is a dead letter that says what, why and where. */
export async function proveMapping({ folder }: Proof, servers: Servers): Promise<Result> {
  const [{ brokers }, { url }] = await Promise.all([servers.shared('kafka'), servers.shared('elasticsearch')]);
  const elastic = new Elastic(url);
  await elastic.createIndex(INDEX, { n: { type: 'integer' } });
  const hub = await createHub(folder, pipeline(url), [`kafka: { brokers: ['${brokers}'] }`]);
  await mkdir(join(folder, 'in'));
  const values = Array.from({ length: DOCUMENTS }, (_, n) => (n === BAD ? '{"n":"no number"}' : `{"n":${n}}`));
  await writeFile(join(folder, 'in', 'a.log'), `${values.join('\n')}\n`);
  const { code, output } = await ended(hub, ['run', '--once']);
  const letters = judgeLetters((await ended(hub, ['dlq', 'show', 'prove-mapping', '--json'])).output);
  const seen = new Uint32Array(DOCUMENTS);
  let documents = 0;
  for await (const { source } of elastic.documents(INDEX, ['n'])) {
    documents++;
    seen[source.n as number]!++;
  }
  const good = seen.filter((_, n) => n !== BAD);
  return {
    expected: DOCUMENTS - 1,
    rows: documents,
    lost: good.filter((count) => count === 0).length,
    duplicated: Math.max(0, documents - (DOCUMENTS - 1)),
    note: `one dead letter: ${letters.text}`,
    problems: [
      ...(code === 3 ? [] : [`run --once ended with ${code}, not 3: ${output.slice(-1000)}`]),
      ...letters.problems,
    ],
    unjudged: [],
  };
}

async function ended(hub: Hub, parameters: readonly string[]): Promise<{ code: number | null; output: string }> {
  const life = new HubProcess(hub, parameters);
  const { code } = await life.ended;
  return { code, output: life.output };
}

/** Is there one, of the bad document, with code, reason and position? */
function judgeLetters(output: string): { text: string; problems: readonly string[] } {
  const lines = output.trim().split('\n');
  if (lines.length !== 1 || lines[0] === '') return { text: '', problems: [`not one dead letter: ${output}`] };
  const { id, code, message, value } = JSON.parse(lines[0]!) as Readonly<Record<string, unknown>>;
  const says = {
    code: code === 'SINK_REJECTED',
    reason: /HTTP 400 document_parsing_exception: .*\[n\]/.test(String(message)),
    position: new RegExp(`^${INDEX}\\+.{8}\\+0\\+${BAD}$`).test(String(id)),
    value: String(value).includes('no number'),
  };
  return {
    text: `${String(id)} ${String(code)} ${String(message)}`,
    problems: Object.entries(says).flatMap(([what, isRight]) =>
      isRight ? [] : [`the dead letter's ${what} is wrong`],
    ),
  };
}
