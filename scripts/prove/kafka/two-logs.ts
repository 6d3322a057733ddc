import { join } from 'node:path';
import { createHub, drain } from '../hub.ts';
import { NumberedLines } from '../numbered-lines.ts';
import type { Proof, Result } from '../proof.ts';
import { Elastic } from './elastic.ts';
import type { Servers } from './servers.ts';

const INDEX = 'prove-two-logs';

const pipeline = (url: string): string => `name: prove
sources:
  - file: { include: ['in/*.log'] }
topic: { name: prove, partitions: 4 }
sinks:
  - elasticsearch: { endpoints: ['${url}'], index: ${INDEX} }
`;

/** Two hubs with the same files and the same YAML, each on an embedded log of its own, share an index: neither takes the documents of the other for its own. */
export async function proveTwoLogs({ folder, lines }: Proof, servers: Servers): Promise<Result> {
  const { url } = await servers.shared('elasticsearch');
  const elastic = new Elastic(url);
  await elastic.createIndex(INDEX, { n: { type: 'integer' } });
  const linesEach = Math.ceil(lines / 2);
  await Promise.all(
    ['one', 'two'].map(async (name) => {
      const hub = await createHub(join(folder, name), pipeline(url));
      await new NumberedLines(join(hub.folder, 'in'), linesEach).growTo(linesEach);
      await drain(hub);
    }),
  );
  const seen = new Uint32Array(linesEach);
  let documents = 0;
  for await (const { source } of elastic.documents(INDEX, ['n'])) {
    documents++;
    seen[source.n as number]!++;
  }
  let [lost, duplicated] = [0, 0];
  for (const count of seen) {
    lost += Math.max(0, 2 - count);
    duplicated += Math.max(0, count - 2);
  }
  const note = `${documents} documents of two hubs with ${linesEach} equal lines each`;
  return { expected: 2 * linesEach, rows: documents, lost, duplicated, note, problems: [], unjudged: [] };
}
