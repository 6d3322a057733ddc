import { isUtf8 } from 'node:buffer';
import { SluiceError, type Failure, type RecordBatch, type Template } from 'sluice/api';
import type { Cluster, ClusterAnswer } from './cluster.ts';
import { readRefusal } from './bulk-reply.ts';
import { judgeAnswer } from './verdicts.ts';

interface Answer {
  readonly docs: readonly { readonly found?: boolean; readonly error?: { readonly reason?: string } }[];
}

/**
 * Which records of a batch would make documents that are not there: a key that was deleted long ago has no version any more that an older record could be compared with.
 * Deletions do no harm. Throws what `Cluster.send` throws.
 */
export async function missingDocuments(
  batch: RecordBatch,
  { index, cluster, signal }: { readonly index: Template; readonly cluster: Cluster; readonly signal: AbortSignal },
): Promise<ReadonlySet<number> | Failure> {
  const asked: number[] = [];
  const docs: object[] = [];
  for (let record = 0; record < batch.count; record++) {
    const name = nameOf(batch, record, index);
    if (name === null) continue;
    asked.push(record);
    docs.push(name);
  }
  if (docs.length === 0) return new Set();
  const answer = await cluster.send(
    {
      method: 'POST',
      path: '/_mget',
      query: { _source: 'false', filter_path: 'docs.found,docs.error.reason' },
      body: Buffer.from(JSON.stringify({ docs })),
      isGzipped: false,
    },
    signal,
  );
  if (answer.status < 200 || answer.status >= 300)
    return judgeAnswer(readRefusal(answer.bytes, answer.status), answer.doing, undefined);
  return absentOf(answer, asked);
}

/** Null for what is no document, and for what the bulk request refuses with a better reason. */
function nameOf(batch: RecordBatch, record: number, index: Template): object | null {
  const key = batch.key(record);
  if (batch.valueLength(record) < 0 || key === null || key.length === 0 || !isUtf8(key)) return null;
  try {
    return { _index: index.render(batch, record), _id: Buffer.from(key).toString() };
  } catch {
    return null;
  }
}

function absentOf({ bytes, doing }: ClusterAnswer, asked: readonly number[]): ReadonlySet<number> | Failure {
  const { docs } = JSON.parse(bytes.toString()) as Answer;
  const unclear = docs.find(({ error, found }) => error?.reason !== undefined && found !== true);
  if (docs.length !== asked.length || (unclear !== undefined && !isNoIndex(unclear.error!.reason!)))
    return {
      disposition: 'block',
      error: new SluiceError(
        'SINK_BLOCKED',
        `${doing}: it cannot be told which documents are there (${unclear?.error?.reason ?? 'the answer speaks of others'}); give --resurrect to write all of them`,
      ),
    };
  return new Set(asked.filter((_, at) => docs[at]!.found !== true));
}

function isNoIndex(reason: string): boolean {
  return reason.startsWith('no such index');
}
