import { SluiceError, type RecordBatch, type RecordFailure } from 'sluice/api';
import type { EndpointAnswer } from 'sluice/toolkit';
import { versionText, type Version } from './document-writer.ts';
import { idText, type Ids } from './ids.ts';
import { judgeAnswer } from './judge-answer.ts';
import type { Target } from './target.ts';
import type { UpdateBody } from './update-body.ts';

/** Under way at the same time. */
const TOGETHER = 8;

export interface DeletionSetting {
  readonly target: Target;
  readonly body: UpdateBody;
  readonly ids: Ids;
  readonly deletions: { readonly of: Version; readonly param: string };
  readonly send: (body: Buffer, more: Readonly<Record<string, string>>) => Promise<EndpointAnswer>;
}

/**
 * Deletions that carry a version, which is a parameter of the request: each goes alone. Their order among the other records of the batch does not matter, since
 * Solr compares versions. Throws when a request has no answer.
 */
export async function sendDeletions(batch: RecordBatch, setting: DeletionSetting): Promise<readonly RecordFailure[]> {
  const { deletions: list } = setting.body;
  const failures: RecordFailure[] = [];
  for (let first = 0; first < list.count; first += TOGETHER) {
    const indexes = Array.from({ length: Math.min(TOGETHER, list.count - first) }, (_, at) => list.at(first + at));
    const results = await Promise.all(indexes.map((index) => deleteOne(batch, index, setting)));
    failures.push(...results.filter((failure) => failure !== null));
  }
  return failures;
}

async function deleteOne(
  batch: RecordBatch,
  index: number,
  { target, ids, deletions, send }: DeletionSetting,
): Promise<RecordFailure | null> {
  let body: Buffer;
  let version: string;
  try {
    ids.begin(batch);
    ids.of(batch, index);
    body = Buffer.from(JSON.stringify({ delete: { id: idText(ids) } }));
    version = versionText(deletions.of, batch, index);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return { index, disposition: 'reject', error };
  }
  const answer = await send(body, { [deletions.param]: version });
  const judged = judgeAnswer(answer, { target, minReplicas: 1, sent: 1, adds: 0, namesAll: false });
  if ('failure' in judged) return { index, ...judged.failure };
  const refused = judged.errors[0];
  return refused === undefined
    ? null
    : {
        index,
        disposition: 'reject',
        error: new SluiceError('SINK_REJECTED', `deleting a document: ${refused.message}`),
      };
}
