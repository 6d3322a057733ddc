import type { KafkaClient } from '../../../src/kafka/index.ts';
import type { Elastic, Hit } from './elastic.ts';
import { endsOf } from './topics.ts';

/** One life of a topic, and where its partitions end. */
export interface TopicLife {
  readonly topic: string;
  readonly incarnation: string;
  readonly ends: readonly number[];
}

/** As it is now. Null when it does not exist. */
export async function lifeOf(client: KafkaClient, topic: string): Promise<TopicLife | null> {
  const [found] = await client.topics([topic]);
  return found === undefined ? null : { topic, incarnation: found.incarnation, ends: await endsOf(client, topic) };
}

export function recordsIn({ ends }: Pick<TopicLife, 'ends'>): number {
  return ends.reduce((sum, end) => sum + end, 0);
}

export interface Indexed {
  readonly documents: number;
  /** Lines of which there is no document. */
  readonly lost: number;
  readonly problems: readonly string[];
}

/** Is every offset of these topics exactly one document, is every document one of them, and is every line (`n`) below `lines` among them? */
export async function judgeIndexed(
  elastic: Elastic,
  index: string,
  wanted: { lives: readonly TopicLife[]; lines: number },
): Promise<Indexed> {
  return judgeHits(elastic.documents(index, ['n']), wanted);
}

/** The same of documents that came from anywhere. */
export async function judgeHits(
  hits: AsyncIterable<Hit>,
  { lives, lines }: { lives: readonly TopicLife[]; lines: number },
): Promise<Indexed> {
  const offsets = new Map<string, Uint8Array>(
    lives.flatMap(({ topic, incarnation, ends }) =>
      ends.map((end, partition) => [`${topic}+${incarnation}+${partition}`, new Uint8Array(end)] as const),
    ),
  );
  const seen = new Uint8Array(lines);
  let [documents, foreign, twice] = [0, 0, 0];
  for await (const { id, source } of hits) {
    documents++;
    const cut = id.lastIndexOf('+');
    const marks = offsets.get(id.slice(0, cut));
    const offset = Number(id.slice(cut + 1));
    if (marks === undefined || !(offset < marks.length)) foreign++;
    else if (marks[offset] === 1) twice++;
    else marks[offset] = 1;
    seen[source.n as number] = 1;
  }
  const missing = [...offsets.values()].reduce((sum, marks) => sum + countOf(marks, 0), 0);
  const problems = [
    ...(foreign > 0 ? [`${foreign} documents with ids of no offset`] : []),
    ...(missing > 0 ? [`${missing} offsets without a document`] : []),
    ...(twice > 0 ? [`${twice} documents more than offsets`] : []),
  ];
  return { documents, lost: countOf(seen, 0), problems };
}

function countOf(marks: Uint8Array, wanted: number): number {
  let count = 0;
  for (const mark of marks) if (mark === wanted) count++;
  return count;
}
