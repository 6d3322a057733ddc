import { SluiceError, type Failure } from 'sluice/api';
import type { Refusal } from './bulk-reply.ts';

/** How the records of a sink reach their index, as far as it decides what a refusal means. */
export interface Target {
  /** Where one index name serves all records, a wrong one is not a record's fault. */
  readonly hasConstantIndex: boolean;
}

const VERSIONS = 'this sink speaks to Elasticsearch 8 and 9';

/** Refusals that hit every record alike, by how their reason begins, with what would help. Further on a reason may quote a record, which must not pass for one of these. */
const EVERY_RECORD: readonly (readonly [reason: RegExp, remedy: string])[] = [
  [/^no write index is defined for alias/, 'give the alias a write index'],
  [/^pipeline with id \[/, 'create the ingest pipeline, or change `pipeline`'],
  [
    /^only write ops with an op_type of create are allowed in data streams/,
    '`mode: keyed` needs an index, not a data stream',
  ],
  [/^no such index \[[^\]]*\] and \[require_alias\] request flag/, 'make it an alias, or leave out `require_alias`'],
  [/^unable to find script \[/, 'store the script in the cluster, or change `update.script_id`'],
  [/^request \[[^\]]*\] contains unrecognized parameter/, VERSIONS],
];

/** What an item that was refused means for its record (bulk API; the cases are in `fixtures/`). */
export function judgeItem(refusal: Refusal, target: Target): Failure {
  const { status, type } = refusal;
  const doing = 'indexing a document';
  // The flood stage of a disk gives 429 here: it passes when there is room.
  if (status === 429 || status === 502 || status === 503 || status === 504) return retry(doing, refusal);
  if (status === 401 || status === 403) return block(doing, refusal, blockRemedy(type));
  const remedy = remedyFor(refusal);
  if (remedy !== undefined) return block(doing, refusal, remedy);
  if (type === 'index_not_found_exception') return block(doing, refusal, 'create the index, or allow its creation');
  if (type === 'index_closed_exception') return block(doing, refusal, 'open the index');
  // Somebody else changes the same document all the time.
  if (status === 409) return retry(doing, refusal);
  if (type === 'invalid_index_name_exception' && target.hasConstantIndex)
    return block(doing, refusal, 'change `index`');
  if (status === 400 || type === 'document_missing_exception')
    return { disposition: 'reject', error: new SluiceError('SINK_REJECTED', `${doing}: ${describeRefusal(refusal)}`) };
  // Not retryable by its own account: the engine tries three times, then asks an operator. It is never dropped.
  return { disposition: 'retry', error: new SluiceError('SINK_UNAVAILABLE', `${doing}: ${describeRefusal(refusal)}`) };
}

/** What an answer other than 2xx means for the whole batch. `doing` names the endpoint. */
export function judgeAnswer(refusal: Refusal, doing: string, retryAfterMs: number | undefined): Failure {
  const { status, type } = refusal;
  if (status === 413) return tooLarge(`${doing}: HTTP 413, larger than http.max_content_length of the server allows`);
  if (status === 401) return block(doing, refusal, 'check `auth`');
  if (status === 403) return block(doing, refusal, blockRemedy(type));
  if (status === 406 || status === 415 || type === 'media_type_header_exception')
    return block(doing, refusal, VERSIONS);
  const remedy = remedyFor(refusal);
  if (remedy !== undefined) return block(doing, refusal, remedy);
  // Some of it may be indexed: the ids make it harmless to send the halves again.
  if (status === 400)
    return { disposition: 'split', error: new SluiceError('SINK_REJECTED', `${doing}: ${describeRefusal(refusal)}`) };
  if (status === 408 || status === 429 || status >= 500) return retry(doing, refusal, retryAfterMs);
  return block(doing, refusal, 'check `endpoints`');
}

export function tooLarge(message: string): Failure {
  return { disposition: 'split', error: new SluiceError('RECORD_TOO_LARGE', message) };
}

/** `HTTP 400 document_parsing_exception: [1:6] failed to parse field …` */
export function describeRefusal({ status, type, reason }: Refusal): string {
  const what = [type, reason].filter((part) => part !== '').join(': ');
  return what === '' ? `HTTP ${status}` : `HTTP ${status} ${what}`;
}

function remedyFor({ reason }: Refusal): string | undefined {
  return EVERY_RECORD.find(([pattern]) => pattern.test(reason))?.[1];
}

function blockRemedy(type: string): string {
  return type === 'cluster_block_exception' ? 'lift the block' : 'give these credentials the right to write there';
}

function retry(doing: string, refusal: Refusal, retryAfterMs?: number): Failure {
  const error = new SluiceError('SINK_UNAVAILABLE', `${doing}: ${describeRefusal(refusal)}`, { retryable: true });
  return { disposition: 'retry', error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function block(doing: string, refusal: Refusal, remedy: string): Failure {
  return {
    disposition: 'block',
    error: new SluiceError('SINK_BLOCKED', `${doing}: ${describeRefusal(refusal)}; ${remedy}`),
  };
}
