import { isUtf8 } from 'node:buffer';
import { SluiceError } from 'sluice/api';
import { defaultCodecLimits, JsonCursor, JsonScanner, skipSpace } from 'sluice/codec';
import type { Taken } from '../protocol.ts';
import type { Action } from './action-lines.ts';

/** Why an item is refused, as Elasticsearch says it. */
export interface ItemFault {
  readonly status: number;
  readonly type: string;
  readonly reason: string;
}

type HeaderList = readonly (readonly [name: string, value: Buffer])[];

const LONGEST_INDEX_BYTES = 255;
const LONGEST_ID_BYTES = 512;
const WRONG_IN_INDEX = /[\\/*?"<>| ,#:\p{Lu}\p{Cc}]/u;

/** Makes records of documents: the document is the value, its id the key, what was said of it are headers. */
export class Documents {
  readonly #taken: Taken;
  readonly #scanner = new JsonScanner(defaultCodecLimits);
  readonly #cursor = new JsonCursor();
  /** Documents of one action share their headers. */
  #sharedBy: Action | null = null;

  constructor(taken: Taken) {
    this.#taken = taken;
  }

  /** Adds `bytes[start, end)` as a record; for `delete` there is none. Returns why it is refused, or null. */
  add(action: Action, start: number, end: number): ItemFault | null {
    const fault = faultOf(action) ?? (action.operation === 'delete' ? null : this.#check(start, end));
    if (fault !== null) return fault;
    const { records, bytes, nowMs, shared } = this.#taken;
    const key = action.id === null ? null : Buffer.from(action.id);
    if (action !== this.#sharedBy) records.share([...headersOf(action), ...shared]);
    this.#sharedBy = action;
    try {
      if (action.operation === 'delete') records.addTombstone(nowMs, key!);
      else {
        records.json.slice(bytes, start, end);
        records.add(nowMs, key);
      }
      return null;
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      return { status: 400, type: 'illegal_argument_exception', reason: `the document is too large: ${error.message}` };
    }
  }

  #check(start: number, end: number): ItemFault | null {
    const { bytes } = this.#taken;
    if (!isUtf8(bytes.subarray(start, end))) return unparsable('it is not UTF-8');
    const after = this.#scanner.skipValue(bytes, start, end);
    this.#scanner.forget();
    if (after < 0) return unparsable(`${this.#scanner.fault!.reason} at byte ${this.#scanner.fault!.at - start}`);
    if (skipSpace(bytes, after, end) < end) return unparsable('expected nothing behind the document');
    this.#cursor.open(bytes, start, end);
    const kind = this.#cursor.kind();
    return kind === 'object' ? null : unparsable(`expected an object, found ${kind}`);
  }
}

/** What Elasticsearch refuses of an action, item by item. */
function faultOf({ operation, index, id }: Action): ItemFault | null {
  if (index === null || index === '') return argument('action_request_validation_exception', 'index is missing');
  if (Buffer.byteLength(index) > LONGEST_INDEX_BYTES || WRONG_IN_INDEX.test(index) || /^[-_+]|^\.{1,2}$/.test(index))
    return argument('invalid_index_name_exception', `Invalid index name [${index.slice(0, LONGEST_INDEX_BYTES)}]`);
  if (id !== null && Buffer.byteLength(id) > LONGEST_ID_BYTES)
    return argument('illegal_argument_exception', `id is too long, must be no longer than ${LONGEST_ID_BYTES} bytes`);
  if (id === '') return argument('illegal_argument_exception', 'if _id is specified it must not be empty');
  if (id === null && (operation === 'update' || operation === 'delete'))
    return argument('action_request_validation_exception', 'an id must be provided');
  return null;
}

function headersOf({ operation, index, id, others }: Action): HeaderList {
  return [
    ['es_op', Buffer.from(operation)],
    ['es_index', Buffer.from(index!)],
    ...(id === null ? [] : [['es_id', Buffer.from(id)] as const]),
    ...others,
  ];
}

function unparsable(reason: string): ItemFault {
  return { status: 400, type: 'document_parsing_exception', reason: `failed to parse: ${reason}` };
}

function argument(type: string, reason: string): ItemFault {
  return { status: 400, type, reason };
}
