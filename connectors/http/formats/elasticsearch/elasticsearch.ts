import { SluiceError } from 'sluice/api';
import { Refusal, type HttpAnswer } from 'sluice/toolkit';
import type { FormatRequest } from '../format.ts';
import type { Protocol, Taken } from '../protocol.ts';
import { defaultHeaders, type Action } from './action-lines.ts';
import { BulkAnswer, STATUS } from './bulk-answer.ts';
import { readBulk } from './bulk-body.ts';
import { answerAbout } from './cluster.ts';
import { Documents } from './documents.ts';
import { FilterPath } from './filter-path.ts';
import { namesOf, targetOf } from './targets.ts';

export interface ElasticsearchOptions {
  readonly version: string;
}

/** Without it Elasticsearch's own clients refuse to go on. */
const PRODUCT = { 'X-Elastic-Product': 'Elasticsearch' };
const TYPE = /^application\/(?:vnd\.elasticsearch\+)?(?:x-ndjson|json)$/;
const DOCUMENT_FIELDS = ['_index', '_id', '_version', 'result', '_shards', '_seq_no', '_primary_term'] as const;
/** What errors are called, by status. */
const ERRORS: Readonly<Record<number, string>> = {
  401: 'security_exception',
  403: 'security_exception',
  404: 'resource_not_found_exception',
  406: 'media_type_header_exception',
  408: 'timeout_exception',
  413: 'content_too_long_exception',
  429: 'es_rejected_execution_exception',
  503: 'unavailable_shards_exception',
};

/** As much of Elasticsearch as those need who write into it: documents become records. */
export class Elasticsearch implements Protocol {
  readonly methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];
  readonly ownsPathsBelow = true;
  readonly #options: ElasticsearchOptions;

  constructor(options: ElasticsearchOptions) {
    this.#options = options;
  }

  greet(request: FormatRequest): HttpAnswer | null {
    const names = namesOf(request.subpath);
    if (targetOf(request, names) !== null) {
      checkType(request);
      return null;
    }
    const answer = answerAbout(request, names, this.#options.version);
    if (answer === null)
      throw new Refusal(400, `no handler found for uri [${request.subpath}] and method [${request.method}]`);
    return typeof answer === 'string' ? textAnswer(answer) : jsonAnswer(200, JSON.stringify(answer));
  }

  *read(request: FormatRequest, taken: Taken): Generator<void, HttpAnswer> {
    const target = targetOf(request, namesOf(request.subpath))!;
    const query = new URLSearchParams(request.query);
    const answer = new BulkAnswer(new FilterPath(query.get('filter_path')));
    const { index, operation } = target;
    const defaults = { index, pipeline: query.get('pipeline'), routing: query.get('routing') };
    if (operation !== null)
      return readDocument(taken, { ...target, operation, others: defaultHeaders(defaults) }, answer);
    try {
      yield* readBulk(taken, defaults, answer);
    } catch (error) {
      throw error instanceof SluiceError ? new Refusal(400, error.message) : error;
    }
    return jsonAnswer(200, answer.text(0));
  }

  repeated(): HttpAnswer {
    return jsonAnswer(200, '{"errors":false,"took":0,"items":[]}');
  }

  refused(refusal: Refusal): HttpAnswer {
    const { status, message, fields, headers } = refusal;
    const type = fields.type ?? ERRORS[status] ?? 'illegal_argument_exception';
    const error = { type, reason: message };
    const answer = jsonAnswer(status, JSON.stringify({ error: { root_cause: [error], ...error }, status }));
    return { ...answer, headers: { ...headers, ...answer.headers } };
  }
}

function readDocument(taken: Taken, action: Action, answer: BulkAnswer): HttpAnswer {
  const fault = new Documents(taken).add(action, 0, taken.bytes.length);
  if (fault !== null) throw new Refusal(fault.status, fault.reason, { fields: { type: fault.type } });
  return jsonAnswer(STATUS[action.operation], `{${answer.fieldsOf(action, null, DOCUMENT_FIELDS)}}`);
}

/** Other types are what a page of another site could make a browser send. */
function checkType({ method, headers }: FormatRequest): void {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (method === 'DELETE' || TYPE.test(type)) return;
  throw new Refusal(
    406,
    `Content-Type header [${type}] is not supported; use application/x-ndjson or application/json`,
  );
}

function jsonAnswer(status: number, text: string): HttpAnswer {
  return { status, headers: PRODUCT, content: { type: 'application/json', bytes: text } };
}

function textAnswer(text: string): HttpAnswer {
  return { status: 200, headers: PRODUCT, content: { type: 'text/plain; charset=UTF-8', bytes: text } };
}
