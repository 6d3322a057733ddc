import { SluiceError, type Failure } from 'sluice/api';
import { shortened } from './update-answer.ts';

/** What an answer that is no success means for all of its request. */
export interface Refusal {
  readonly failure: Failure;
  /** The document that it is about, when it names one: the others may go again without it. */
  readonly id: string | null;
}

export interface Refused {
  readonly status: number;
  /** `error.msg`; '' when there is none. */
  readonly message: string;
  /** `POST http://solr-1:8983/solr/orders/update`. */
  readonly doing: string;
  readonly location: string | null;
  readonly retryAfterMs: number | undefined;
}

/** Refusals that hit every record alike, with what would help. */
const EVERY_RECORD: readonly (readonly [message: RegExp, remedy: string])[] = [
  [/unknown UpdateRequestProcessorChain/, 'change `update_chain`, or add the chain to the collection'],
  [/Collection: \S+ not found|Could not find collection/, 'create the collection'],
  [/Solr instance is not running in SolrCloud mode/, 'give `core` instead of `collection`'],
  [
    /(?:missing|no) (?:required )?(?:field|param).*_version_|_version_ field must exist in schema/,
    'add `_version_` to the schema',
  ],
  [
    /Unable to index docs with children: the schema must include/,
    'add `_root_` and `_nest_path_` to the schema, or change `nested`',
  ],
  [/Collection \S+ is read-only/, 'make the collection writable'],
];

export function judgeRefusal({ status, message, doing, location, retryAfterMs }: Refused): Refusal {
  const what = message === '' ? `HTTP ${status}` : `HTTP ${status} ${shortened(message)}`;
  const all = (failure: Failure): Refusal => ({ failure, id: null });
  if (status >= 300 && status < 400) {
    const where = location === null ? '' : ` to ${location.slice(0, 200)}`;
    return all(block(`${doing}: HTTP ${status}, a redirect${where}; give the address that answers itself`));
  }
  if (status === 401) return all(block(`${doing}: ${what}; check \`auth\``));
  if (status === 403) return all(block(`${doing}: ${what}; give these credentials the right to write there`));
  if (status === 404)
    return all(
      block(`${doing}: ${what}; check \`endpoints\` with their path, and that the collection or the core is there`),
    );
  if (status === 413) return all(tooLarge(`${doing}: HTTP 413, larger than the server allows`));
  if (status === 415) return all(block(`${doing}: ${what}; something between changes the content type`));
  const remedied = blockEvery(message, `${doing}: ${what}`);
  if (remedied !== null) return all(remedied);
  // Some of it may be there: the ids make it harmless to send it again.
  if (status === 400) return { failure: { disposition: 'split', error: rejected(message) }, id: documentIn(message) };
  if (status === 409) return { failure: { disposition: 'split', error: rejected(message) }, id: conflictIn(message) };
  if (status === 408 || status === 429 || status >= 500) return all(unavailable(`${doing}: ${what}`, retryAfterMs));
  return all(block(`${doing}: ${what}; check \`endpoints\``));
}

/** Null when it is not every record that is refused so, by whatever Solr says of one of them. */
export function blockEvery(message: string, what: string): Failure | null {
  const remedy = EVERY_RECORD.find(([pattern]) => pattern.test(message))?.[1];
  return remedy === undefined ? null : block(`${what}; ${remedy}`);
}

/** What is wrong with a document, as Solr says it. */
export function rejected(message: string): SluiceError {
  return new SluiceError(
    'SINK_REJECTED',
    `adding a document: ${message === '' ? 'refused without a reason' : shortened(relevant(message))}`,
  );
}

export function isConflict(message: string): boolean {
  return message.includes('version conflict for ');
}

export function unavailable(message: string, retryAfterMs?: number): Failure {
  const error = new SluiceError('SINK_UNAVAILABLE', message, { retryable: true });
  return { disposition: 'retry', error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

export function tooLarge(message: string): Failure {
  return { disposition: 'split', error: new SluiceError('RECORD_TOO_LARGE', message) };
}

export function failureOf(error: SluiceError): Failure {
  return { disposition: error.retryable ? 'retry' : 'block', error };
}

function block(message: string): Failure {
  return { disposition: 'block', error: new SluiceError('SINK_BLOCKED', message) };
}

/** Behind a forwarding node other text stands before it. */
function relevant(message: string): string {
  const at = message.lastIndexOf('ERROR: [doc=');
  return at < 0 ? message : message.slice(at);
}

function documentIn(message: string): string | null {
  return (
    /\[doc=(.*?)\] /s.exec(relevant(message))?.[1] ??
    /Exception writing document id (.*?) to the index/s.exec(message)?.[1] ??
    null
  );
}

function conflictIn(message: string): string | null {
  return /version conflict for (.*?) expected=/s.exec(message)?.[1] ?? null;
}
