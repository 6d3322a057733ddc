import { judgeHits } from '../kafka/indexed.ts';
import type { Hit } from '../kafka/elastic.ts';
import type { Result } from '../proof.ts';
import type { Feed } from './feed.ts';
import { checkOf, sumOfChecks } from './numbered-records.ts';
import type { Target } from './target.ts';

/** Is each record there once, under its id, with the checksum that it was sent with, and nothing else? */
export async function judgeTarget({
  feed,
  target,
  records,
}: {
  readonly feed: Feed;
  readonly target: Target;
  readonly records: number;
}): Promise<Result> {
  const life = target.hasIds ? await feed.life() : null;
  const changed = { count: 0 };
  const hits = unchanged(target.hits(), changed);
  const { documents, lost, problems } =
    life === null ? await countByNumber(hits, records) : await judgeHits(hits, { lives: [life], lines: records });
  const [counted, sum, wanted] = [await target.count(), await target.sum(), sumOfChecks(records)];
  return {
    expected: records,
    rows: documents,
    lost,
    duplicated: Math.max(0, documents - (records - lost)),
    note: `sum of the checksums ${sum.toLocaleString('en-US')}, as sent`,
    problems: [
      ...problems,
      ...(changed.count > 0 ? [`${changed.count} records with another checksum`] : []),
      ...(counted === documents ? [] : [`counted ${counted}, read ${documents}`]),
      ...(sum === wanted ? [] : [`the checksums are ${sum} together, not ${wanted}`]),
      ...(await target.problems()),
    ],
    unjudged: [],
  };
}

async function* unchanged(hits: AsyncIterable<Hit>, changed: { count: number }): AsyncGenerator<Hit> {
  for await (const hit of hits) {
    if (hit.source.check !== checkOf(hit.source.n as number)) changed.count++;
    yield hit;
  }
}

/** For systems without ids, and topics that cannot be asked. */
async function countByNumber(
  hits: AsyncIterable<Hit>,
  records: number,
): Promise<{ documents: number; lost: number; problems: readonly string[] }> {
  const seen = new Uint8Array(records);
  let [documents, foreign] = [0, 0];
  for await (const { source } of hits) {
    documents++;
    if (!((source.n as number) < records)) foreign++;
    else seen[source.n as number] = 1;
  }
  const lost = seen.reduce((sum, mark) => sum + 1 - mark, 0);
  return { documents, lost, problems: foreign > 0 ? [`${foreign} records that nobody sent`] : [] };
}
